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
    // Its own turns are counted, not time: while this process stood still, nobody could have answered it.
    let silentTurns: number | undefined
    const ask = (): void => {
      silentTurns = 0
      ping().then(
        () => (silentTurns = undefined),
        () => this.stop(),
      )
    }
    this.#timer = setInterval(() => {
      if (silentTurns === undefined) return ask()
      silentTurns++
      if (silentTurns * this.#options.pingMs < this.#options.silenceMsMax) return
      this.stop()
      onSilence()
    }, this.#options.pingMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
