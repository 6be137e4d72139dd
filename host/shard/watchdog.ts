/**
 * The backstop behind fuel: asks again and again whether somebody still answers, and says so once
 * when they have not for too long. It keeps no process alive.
 */

export interface WatchdogOptions {
  readonly pingMs: number
  readonly silenceMsMax: number
}

export class Watchdog {
  readonly #options: WatchdogOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /** `ping` resolves when the watched one answers; `onSilence` is called at most once. */
  start(ping: () => Promise<unknown>, onSilence: () => void): void {
    this.stop()
    let askedAt: number | undefined
    const ask = (): void => {
      askedAt = performance.now()
      ping().then(
        () => (askedAt = undefined),
        () => this.stop(),
      )
    }
    this.#timer = setInterval(() => {
      if (askedAt === undefined) return ask()
      if (performance.now() - askedAt < this.#options.silenceMsMax) return
      this.stop()
      onSilence()
    }, this.#options.pingMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
