/** The two doors of a host under test: the pipe to a host that asks itself, and HTTP. */
import { HttpClient } from '../api/http-client.ts'
import type { Reply as HttpReply } from '../api/http-client.ts'
import type { HostProcess, Started } from './host-process.ts'
import { HostGone } from './requests.ts'
import type { Door, Refusal, Reply, Request } from './requests.ts'
import { relabelled } from './tally.ts'

/** The door of a host that has started. */
export function doorOf(host: HostProcess, started: Exclude<Started, { refused: Refusal }>, component: Uint8Array): Door {
  const { url, operatorToken } = started
  return url === undefined || operatorToken === undefined ? host : new HttpDoor(host, url, operatorToken, component)
}

type InDatabase = Exclude<Request, { readonly kind: 'close' }>

class HttpDoor implements Door {
  readonly #host: HostProcess
  readonly #http = new HttpClient()
  readonly #operator: string
  readonly #component: Uint8Array
  readonly #tokens = new Map<string, Promise<string>>()

  constructor(host: HostProcess, url: string, operator: string, component: Uint8Array) {
    this.#host = host
    this.#http.port = Number(new URL(url).port)
    this.#operator = operator
    this.#component = component
  }

  async send(request: Request): Promise<Reply> {
    if (request.kind === 'close') return this.#host.send(request)
    try {
      return await this.#ask(request)
    } catch (error) {
      if (error instanceof Refused) return { refused: error.refusal }
      // The connection ended: so has the host, or it is about to.
      if (error instanceof TypeError) throw new HostGone('the host ended before it answered', { cause: error })
      throw error
    }
  }

  async #ask(request: InDatabase): Promise<Reply> {
    const path = `/v1/databases/${request.database}`
    switch (request.kind) {
      case 'create':
        await this.#asOperator('POST', '/v1/databases', { name: request.database })
        return { value: true }
      case 'drop':
        this.#tokens.clear()
        await this.#asOperator('DELETE', path)
        return { value: true }
      case 'exists': {
        const { databases } = (await this.#asOperator('GET', '/v1/databases')) as { databases: { name: string }[] }
        return { value: databases.some(({ name }) => name === request.database) }
      }
      case 'publish':
        return { value: ((await this.#asOperator('PUT', `${path}/module`, relabelled(this.#component, request.number))) as { version: number }).version }
      case 'link':
        return {
          value: (
            (await this.#asOperator('POST', `${path}/identities/link`, { login: { subject: request.subject }, to: { subject: request.to } })) as {
              identity: string
            }
          ).identity,
        }
      case 'unlink':
        return {
          value: ((await this.#asOperator('POST', `${path}/identities/unlink`, { login: { subject: request.subject } })) as { identity: string }).identity,
        }
      default:
        return this.#askAs(request, path)
    }
  }

  async #askAs(
    request: Extract<InDatabase, { readonly subject: string; readonly kind: 'identify' | 'turns' | 'fill' | 'enter' }>,
    path: string,
  ): Promise<Reply> {
    const token = await this.#token(request.database, request.subject)
    switch (request.kind) {
      case 'identify':
        return { value: ((await this.#as(token, 'GET', `${path}/identities/me`)) as { identity: string }).identity }
      case 'turns':
        return { value: Number(((await this.#as(token, 'POST', `${path}/query/turns`, { args: [] })) as { result: string }).result) }
      case 'fill':
        await this.#as(token, 'POST', `${path}/call/fill`, { args: [request.rows, request.size] })
        return { value: true }
      case 'enter': {
        const { call, thing, takesAway, reads, size, ending } = request.entering
        const body = { args: [call, thing, takesAway, reads, size, ending], id: request.id }
        const { result } = (await this.#as(token, 'POST', `${path}/call/enter`, body)) as { result: { turn: string; label: string } }
        return { value: { turn: Number(result.turn), label: result.label } }
      }
    }
  }

  #token(database: string, subject: string): Promise<string> {
    const name = `${database} ${subject}`
    const known = this.#tokens.get(name)
    if (known !== undefined) return known
    const asking = this.#asOperator('POST', `/v1/databases/${database}/tokens`, { subject, ttlSeconds: 3_600 }).then(
      (body) => (body as { token: string }).token,
    )
    this.#tokens.set(name, asking)
    asking.catch(() => this.#tokens.delete(name))
    return asking
  }

  #asOperator(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#as(this.#operator, method, path, body)
  }

  async #as(token: string, method: string, path: string, body?: unknown): Promise<unknown> {
    const reply = await this.#http.request(method, path, { token, body })
    if (reply.status >= 400) throw new Refused(refusalOf(reply))
    return reply.body
  }
}

class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

function refusalOf({ status, body }: HttpReply): Refusal {
  const { code = String(status), message = '' } = (body as { error?: { code?: string; message?: string } }).error ?? {}
  return { code, message }
}
