/**
 * Preloaded into a host under test: bounds so small that checkpoints, snapshots, new segments and closings come many
 * times a second. Everything else of the host is as it is.
 */
import { registerHooks } from 'node:module'

const small: Readonly<Record<string, string>> = {
  walBytesMin: '128 * KiB',
  recordsPerSnapshot: '300',
  logSegmentBytes: '256 * KiB',
  logAheadBytes: '32 * KiB',
  logReserveBytes: '64 * KiB',
  logSizeBytesMax: '1536 * KiB',
  idleTimeMsMin: '20',
  databasesOpenMax: '2',
}

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith('/host/limits.ts')) return loaded
    return { ...loaded, source: Object.entries(small).reduce(withLimit, sourceText(loaded.source)) }
  },
})

function sourceText(source: unknown): string {
  if (typeof source === 'string') return source
  if (source instanceof Uint8Array) return Buffer.from(source).toString('utf8')
  throw new Error('a module has a source')
}

function withLimit(source: string, [name, value]: readonly [string, string]): string {
  const declared = new RegExp(`^export const ${name} = .+$`, 'm')
  if (!declared.test(source)) throw new Error(`host/limits.ts has no ${name}`)
  return source.replace(declared, `export const ${name} = ${value}`)
}
