/** Calls of a real module, all in one process: to compile and publish it costs more than its calls. */
import { after } from 'node:test'

import './ownership.ts'
import './atomic.ts'
import './handles.ts'
import './limits.ts'
import { openLedger } from './ledger.ts'

after(async () => (await openLedger()).close())
