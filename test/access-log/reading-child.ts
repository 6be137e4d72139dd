/** A host of this process that reads and writes as fast as it can, and says after each answer that it has it. It is there to be killed. */
import { writeSync } from 'node:fs'

import { openHost } from '../../host/open-host.ts'

const [, , data = ''] = process.argv
const host = await openHost({ data })
const clinic = await host.database('clinic')
const sarah = await clinic.as({ subject: 'sarah' })
writeSync(1, 'open\n')
for (let round = 0; ; round++) {
  sarah.rows('diary', { latest: 3 })
  writeSync(1, 'rows\n')
  sarah.query('entries')
  writeSync(1, 'query\n')
  sarah.sql('SELECT count(*) FROM diary')
  writeSync(1, 'sql\n')
  await sarah.call('write', [`round ${round}`])
  writeSync(1, 'call\n')
}
