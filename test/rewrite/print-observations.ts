/** What each of so many generated modules does and burns, for a process with other flags to be compared with. */
import { createHash } from 'node:crypto'

import { observeMetered } from './differential.ts'

const [seed = '1', count = '1'] = process.argv.slice(2)
const hash = createHash('sha256')
for (let index = 0; index < Number(count); index += 1) hash.update(JSON.stringify(observeMetered(Number(seed), index)))
process.stdout.write(hash.digest('hex'))
