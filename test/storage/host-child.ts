/** A host of another process on the folder of its first argument: says when it holds it. */
import { openHost } from '../../host/open-host.ts'

const [, , data = ''] = process.argv
await openHost({ data })
process.send?.('open')
setInterval(() => undefined, 60_000)
