/** npm run voice:offline: the offline provider on the port that voice.json names, until it is stopped. */
import { startOfflineVoice } from './server.ts'

const voice = await startOfflineVoice(4780)
console.log(`speech and language at ${voice.url}/v1, offline (espeak-ng, pocketsphinx, rules); then:`)
console.log('  npm run remembrancer -- dev modules/claims-line --voice examples/offline-voice/voice.json')
process.once('SIGINT', () => void voice.close())
process.once('SIGTERM', () => void voice.close())
