/** `import { openModule } from 'remembrancer/testing'`: host/testing.ts, after the check of the Node that runs it. */
import './check-node.js'
import { codeUrl } from './source.js'

export const { openModule } = await import(codeUrl('host/testing'))
