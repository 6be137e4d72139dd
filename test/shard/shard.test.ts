/** The shard, all in one process: to compile and check its modules costs more than its calls. */
import { after } from 'node:test'

import './batches.ts'
import './committing.ts'
import './publishing.ts'
import './opening.ts'
import './poisoned.ts'
import './worker.ts'
import { gate } from './versions.ts'

after(() => gate.close())
