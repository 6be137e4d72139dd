/**
 * pocketsphinx with a small grammar. Its model takes a third of a second to load, so the next process is
 * started while nobody speaks and waits at its pipe.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

type Child = ChildProcessByStdio<Writable, Readable, null>

/** Of its stdout, what is no word. */
const noWords = /<s>|<\/s>|<sil>|\[[A-Z]+\]|\+\+\w+\+\+/g
const silence = Buffer.alloc(16_000)

export class Recogniser {
  readonly #grammar: string
  readonly #ready: Child[] = []

  /** `grammar` is the path of a JSGF file; `spares` is how many wait for a voice. */
  constructor(grammar: string, spares = 2) {
    this.#grammar = grammar
    for (let index = 0; index < spares; index++) this.#ready.push(this.#start())
  }

  /** The words of 16 kHz samples, lower case; empty when the grammar has none for them. */
  async recognise(pcm: Buffer): Promise<string> {
    const child = this.#ready.shift() ?? this.#start()
    this.#ready.push(this.#start())
    // Trailing silence ends the utterance.
    child.stdin.on('error', () => undefined)
    child.stdin.end(Buffer.concat([pcm, silence]))
    let text = ''
    for await (const piece of child.stdout) text += String(piece)
    return text.replace(noWords, ' ').replace(/\s+/g, ' ').trim().toLowerCase()
  }

  close(): void {
    for (const child of this.#ready) child.kill()
    this.#ready.length = 0
  }

  /** It wants a real pipe, which `cat` is. */
  #start(): Child {
    const command = 'cat | pocketsphinx_continuous -infile /dev/stdin -jsgf "$1" -logfn /dev/null -samprate 16000'
    return spawn('sh', ['-c', command, 'sh', this.#grammar], { stdio: ['pipe', 'pipe', 'ignore'] })
  }
}
