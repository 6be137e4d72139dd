/** After tsc: the page's own files, and livekit-client's one, beside the code that serves them. */
import { cpSync } from 'node:fs'
import { createRequire } from 'node:module'

cpSync('host/media/page', 'dist/host/media/page', { recursive: true })
cpSync(createRequire(import.meta.url).resolve('livekit-client'), 'dist/host/media/page/livekit-client.js')
