/** What a host in its own process is asked, and what it answers (requests.ts). */
import { HostError } from '../../host/errors.ts'
import type { LocalDatabase } from '../../host/local-database.ts'
import type { LocalHost } from '../../host/open-host.ts'
import type { Sender } from '../../host/sender.ts'
import type { Entered, Request } from './requests.ts'
import { relabelled } from './tally.ts'

export class LocalAnswers {
  readonly #host: LocalHost
  readonly #senders = new Map<string, Promise<Sender>>()

  readonly #component: Uint8Array

  constructor(host: LocalHost, component: Uint8Array) {
    this.#host = host
    this.#component = component
  }

  async to(request: Request): Promise<unknown> {
    switch (request.kind) {
      case 'close':
        return this.#host.close()
      case 'create':
        await this.#host.database(request.database, { create: true })
        return true
      case 'exists':
        return this.#exists(request.database)
      case 'drop':
        throw new Error('a host of the same process drops nothing')
      default:
        return this.#inDatabase(await this.#host.database(request.database), request)
    }
  }

  async #exists(name: string): Promise<boolean> {
    try {
      await this.#host.database(name)
      return true
    } catch (error) {
      if (error instanceof HostError && error.code === 'ERR_DATABASE_UNKNOWN') return false
      throw error
    }
  }

  async #inDatabase(database: LocalDatabase, request: Exclude<Request, { readonly kind: 'close' | 'create' | 'exists' | 'drop' }>): Promise<unknown> {
    switch (request.kind) {
      case 'publish':
        return (await database.publish(relabelled(this.#component, request.number))).version
      case 'link':
        return database.link({ subject: request.subject }, { subject: request.to })
      case 'unlink':
        return database.unlink({ subject: request.subject })
      case 'identify':
        return (await database.as({ subject: request.subject })).identity
      case 'turns':
        return Number((await this.#sender(database, request.subject)).query('turns'))
      case 'fill':
        await (await this.#sender(database, request.subject)).call('fill', { rows: request.rows, size: request.size })
        return true
      case 'enter': {
        const { call, thing, takesAway, reads, size, ending } = request.entering
        const sender = await this.#sender(database, request.subject)
        const options = request.id === undefined ? {} : { id: request.id }
        const { turn, label } = (await sender.call('enter', [call, thing, takesAway, reads, size, ending], options)) as { turn: bigint; label: string }
        return { turn: Number(turn), label } satisfies Entered
      }
    }
  }

  #sender(database: LocalDatabase, subject: string): Promise<Sender> {
    const name = `${database.name} ${subject}`
    const known = this.#senders.get(name)
    if (known !== undefined) return known
    const asking = database.as({ subject })
    this.#senders.set(name, asking)
    asking.catch(() => this.#senders.delete(name))
    return asking
  }
}
