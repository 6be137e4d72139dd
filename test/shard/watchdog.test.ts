import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Watchdog } from '../../host/shard/watchdog.ts'

test('a watchdog says once that nobody has answered for too long', async () => {
  const watchdog = new Watchdog({ pingMs: 1, silenceMsMax: 5 })
  let asked = 0
  const silentMs = await new Promise<number>((resolve) => {
    const start = performance.now()
    const keepAlive = setInterval(() => undefined, 1_000)
    const ping = (): Promise<never> => {
      asked++
      return new Promise(() => undefined)
    }
    watchdog.start(ping, () => {
      clearInterval(keepAlive)
      resolve(performance.now() - start)
    })
  })
  assert.equal(asked, 1)
  assert.ok(silentMs >= 5)
})

test('a watchdog asks again whoever answers, and is silent about it', async () => {
  const watchdog = new Watchdog({ pingMs: 1, silenceMsMax: 60_000 })
  await new Promise<void>((resolve, reject) => {
    const keepAlive = setInterval(() => undefined, 1_000)
    let asked = 0
    const ping = async (): Promise<void> => {
      if (++asked < 5) return
      clearInterval(keepAlive)
      resolve()
    }
    watchdog.start(ping, () => reject(new Error('it barked')))
  })
  watchdog.stop()
})
