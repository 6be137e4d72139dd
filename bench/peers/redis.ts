/** A Redis of its own for one process, in memory and at a socket, and as much of its protocol as a list takes. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { SocketClient } from './socket-client.ts'

/** Why there is none on this machine, or undefined. */
export const redisMissing = spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not here: apt-get install redis-server'

export class RedisServer implements AsyncDisposable {
  readonly #folder: string
  readonly #process: ChildProcess

  private constructor(folder: string, process: ChildProcess) {
    this.#folder = folder
    this.#process = process
  }

  static async start(): Promise<RedisServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'remembrancer-redis-'))
    const settings = ['--port', '0', '--unixsocket', path.join(folder, 'redis.sock'), '--save', '', '--appendonly', 'no', '--dir', folder]
    const server = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of server.stdout) if (String(chunk).includes('ready to accept connections')) break
    server.stdout.resume()
    return new RedisServer(folder, server)
  }

  async connect(): Promise<RedisReader> {
    return new RedisReader(await SocketClient.connect(path.join(this.#folder, 'redis.sock')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGINT')
    await ended
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export class RedisReader {
  readonly #client: SocketClient

  constructor(client: SocketClient) {
    this.#client = client
  }

  /** Puts values at the end of a list. */
  async push(key: string, values: readonly string[]): Promise<void> {
    await this.#client.ask(command('RPUSH', key, ...values), lineOf)
  }

  /** The last so many values of a list, in their order. */
  async last(key: string, count: number): Promise<readonly string[]> {
    return this.#client.ask(command('LRANGE', key, String(-count), '-1'), listOf)
  }

  close(): void {
    this.#client.close()
  }
}

function command(...words: readonly string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
}

function lineOf(bytes: Buffer): { readonly answer: string; readonly size: number } | undefined {
  const end = bytes.indexOf('\r\n')
  if (end < 0) return undefined
  const answer = bytes.toString('utf8', 0, end)
  if (answer.startsWith('-')) throw new Error(`Redis: ${answer}`)
  return { answer, size: end + 2 }
}

function listOf(bytes: Buffer): { readonly answer: readonly string[]; readonly size: number } | undefined {
  const head = lineOf(bytes)
  if (head === undefined) return undefined
  const values: string[] = []
  let at = head.size
  for (let left = Number(head.answer.slice(1)); left > 0; left--) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const size = Number(bytes.toString('latin1', at + 1, end))
    at = end + 2 + size + 2
    if (at > bytes.length) return undefined
    values.push(bytes.toString('utf8', end + 2, end + 2 + size))
  }
  return { answer: values, size: at }
}
