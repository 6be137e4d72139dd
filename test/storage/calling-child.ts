/** A host that calls without end and says after each call that it was acknowledged: it is there to be killed. */
import { openHost } from '../../host/open-host.ts'

const [, , data = ''] = process.argv
const host = await openHost({ data })
const database = await host.database('claims')
const sarah = await database.as({ subject: 'sarah' })

/** Each call keeps two notes of its number, so that half of a call would show. */
async function callOnAndOn(caller: number): Promise<void> {
  for (let call = 0; ; call++) {
    const name = `${process.pid}-${caller}-${call}`
    await sarah.call('remember_twice', { content: name })
    process.send?.(name)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, caller) => callOnAndOn(caller)))
