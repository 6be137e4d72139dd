/** The messages that came to a caller, and those who wait for one. */
export class Inbox<M> {
  readonly messages: M[] = []
  readonly #waiting: { readonly isIt: (message: M) => boolean; readonly resolve: (message: M) => void }[] = []

  receive(message: M): void {
    this.messages.push(message)
    for (const waiting of this.#waiting.filter(({ isIt }) => isIt(message))) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.resolve(message)
    }
  }

  /** The first message from now on, or of all that came, that is it. */
  until(isIt: (message: M) => boolean, { fromStart = false, timeMs = 60_000 } = {}): Promise<M> {
    const known = fromStart ? this.messages.find(isIt) : undefined
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing came in ${timeMs} ms; the last messages: ${JSON.stringify(this.messages.slice(-6))}`)), timeMs)
      this.#waiting.push({
        isIt,
        resolve: (message) => {
          clearTimeout(late)
          resolve(message)
        },
      })
    })
  }
}
