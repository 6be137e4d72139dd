/** A host with one module in it, for commands that talk to one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { startHost } from '../../host/host.ts'
import type { RunningHost } from '../../host/host.ts'
import { buildModule } from '../../host/module/build.ts'
import { CommandFixture } from './command-fixture.ts'
import type { Outcome } from './command-fixture.ts'

const notebook = `import { Context, Identity, Json, Reader, Writer } from "remembrancer/guest-sdk";

@table("notes")
class Note {
  @autoIncrement id: u64;
  @owner writer: Identity;
  text: string;
  stars: u8;
  isDone: bool;
}

@reducer
export function write(ctx: Context, notes: Writer<Note>, text: string, stars: u8, isDone: bool): u64 {
  ctx.log("wrote " + text);
  return notes.insert(new Note(text, stars, isDone)).id;
}

@reducer
export function complain(ctx: Context, notes: Writer<Note>, text: string): void {
  ctx.log(text);
  return ctx.fail(text);
}

@query
export function list(ctx: Context, notes: Reader<Note>): Note[] {
  return notes.all();
}

@query
export function trip(ctx: Context): void {
  assert(false, "tripped");
}

@query
export function whoami(ctx: Context): string {
  const role = ctx.claim("role");
  return role === null ? "nobody" : role;
}
`

export class ServedFixture extends CommandFixture implements AsyncDisposable {
  #host: RunningHost | undefined
  url = ''
  operatorToken = ''

  async serve(): Promise<void> {
    this.#host = await startHost({ data: join(this.folder, 'data'), port: 0, shards: 1 })
    this.url = this.#host.url
    this.operatorToken = this.#host.operatorToken
    Object.assign(this.environment, { REMEMBRANCER_URL: this.url, REMEMBRANCER_TOKEN: this.operatorToken, REMEMBRANCER_DATABASE: 'notes' })
    await this.run(['databases', 'create', 'notes'])
    writeFileSync(join(this.folder, 'notes.wasm'), await this.#build())
    await this.run(['publish', 'notes.wasm'])
  }

  /** Runs a command with --json and answers with its one document. */
  async ask(...args: readonly string[]): Promise<unknown> {
    const { stdout } = await this.run([...args, '--json'])
    return JSON.parse(stdout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host?.close()
    this[Symbol.dispose]()
  }

  async #build(): Promise<Uint8Array> {
    const folder = join(this.folder, 'notes')
    mkdirSync(folder)
    writeFileSync(join(folder, 'index.ts'), notebook)
    return (await buildModule(folder, { optimize: false })).component
  }
}

/** The error of a command that was run with --json. */
export function errorOf({ stdout }: Outcome): string {
  return JSON.parse(stdout).error.code
}
