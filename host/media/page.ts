/** The page on which one talks to an agent: a few files of ours, and livekit-client, from this package and from nowhere else. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
}

const files: Readonly<Record<string, string>> = {
  'talk.html': 'text/html; charset=utf-8',
  'talk.css': 'text/css; charset=utf-8',
  'talk.js': 'text/javascript; charset=utf-8',
  'livekit-client.js': 'text/javascript; charset=utf-8',
}

const read = new Map<string, PageFile>()

/** Undefined for any other name. */
export function pageFile(name: string): PageFile | undefined {
  const type = Object.hasOwn(files, name) ? files[name] : undefined
  if (type === undefined) return undefined
  const known = read.get(name) ?? { type, bytes: readFileSync(pathOf(name)) }
  read.set(name, known)
  return known
}

/** In a clone livekit-client is a development's package; the build puts its one file beside ours. */
function pathOf(name: string): string {
  const own = fileURLToPath(new URL(`./page/${name}`, import.meta.url))
  if (existsSync(own) || name !== 'livekit-client.js') return own
  return createRequire(import.meta.url).resolve('livekit-client')
}
