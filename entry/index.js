/** `import { openHost } from 'remembrancer'`: host/index.ts, after the check of the Node that runs it. */
import './check-node.js'
import { codeUrl } from './source.js'

export const { HostError, openHost } = await import(codeUrl('host/index'))
