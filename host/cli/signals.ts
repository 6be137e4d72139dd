/** Ends a long-running command in order on the first SIGINT or SIGTERM, and at once on the second. */
import { constants } from 'node:os'

/** Resolves when `close` has. */
export async function endOnSignal(close: () => Promise<void>): Promise<void> {
  await nextSignal()
  void nextSignal().then((signal) => process.exit(128 + constants.signals[signal]))
  await close()
}

function nextSignal(): Promise<'SIGINT' | 'SIGTERM'> {
  const { promise, resolve } = Promise.withResolvers<'SIGINT' | 'SIGTERM'>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  return promise
}
