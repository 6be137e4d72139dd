/** The README's commands and code, run as its reader would run them. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { promisify } from 'node:util'

import { buildModule } from '../../host/module/build.ts'
import { grantsOf } from '../../host/publish/grants.ts'

const run = promisify(execFile)
const readme = readFileSync('README.md', 'utf8')
const command = resolve('bin/remembrancer.js')
const folder = mkdtempSync(join(tmpdir(), 'remembrancer-readme-'))
after(() => rmSync(folder, { recursive: true }))

/** The code block that contains a text. */
function block(containing: string): string {
  const found = [...readme.matchAll(/```\w*\n(.*?)```/gs)].map(([, code = '']) => code).find((code) => code.includes(containing))
  assert.ok(found !== undefined, `the README shows ${containing}`)
  return found
}

test('every npm script that the README names is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  for (const [, name = ''] of readme.matchAll(/npm run (\w+)/g)) assert.ok(name in scripts, name)
})

test('every file that the README links to is there', () => {
  for (const [, path = ''] of readme.matchAll(/\]\(([^)#:]+)\)/g)) assert.ok(readFileSync(path).length > 0, path)
})

test('the module of the README builds, and has the grants that it says', async () => {
  mkdirSync(join(folder, 'module'))
  writeFileSync(join(folder, 'module', 'index.ts'), block('@table("turns")'))
  const { description } = await buildModule(join(folder, 'module'), { optimize: false })
  assert.deepEqual(
    grantsOf(description).map(({ reducer, tables }) => [reducer, tables]),
    [
      ['remember_turn', [{ table: 'turns', mode: 'append' }]],
      ['recall', [{ table: 'turns', mode: 'read' }]],
    ],
  )
})

test('the README’s way in works: new, dev, a call as Sarah, an empty answer for Bob; then build and openHost', async () => {
  await run(process.execPath, [command, 'new', 'my-agent'], { cwd: folder })
  const project = join(folder, 'my-agent')
  const dev = spawn(process.execPath, [command, 'dev', '--port', '0'], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(dev, 'exit')
  try {
    await said(dev.stderr, dev.stdout, 'published my_agent v1')
    const answers = await begin(project)
    assert.match(answers.sarah, /Hi, it is Sarah\./)
    assert.equal(answers.bob.trim(), '[]')
  } finally {
    dev.kill('SIGTERM')
    await ended
  }
  await run(process.execPath, [command, 'build', 'my-agent'], { cwd: folder })
  await openHostBlock()
})

/** Runs the lines of the README that begin with `$ npx remembrancer call` and `query`. */
async function begin(project: string): Promise<{ sarah: string; bob: string }> {
  const lines = [...readme.matchAll(/^\$ npx remembrancer ((?:call|query) .*)$/gm)].map(([, line = '']) => line)
  assert.equal(lines.length, 3)
  const answers: string[] = []
  for (const line of lines) {
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
    answers.push((await run(process.execPath, [command, ...args], { cwd: project })).stdout)
  }
  return { sarah: answers[1] ?? '', bob: answers[2] ?? '' }
}

/** From the package's own folder, where `remembrancer` is this package. */
async function openHostBlock(): Promise<void> {
  const code = block("from 'remembrancer'\n").replace('./data', join(folder, 'data')).replace("'my-agent/", `'${folder}/my-agent/`)
  const shown = code.replace(/^sarah\.rows\(.*?\)(?=\s|$)/m, (read) => `console.log(${read}.length)`)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', shown])
  assert.equal(stdout, '1\n')
}

async function said(...streams: readonly [NodeJS.ReadableStream, NodeJS.ReadableStream, string]): Promise<void> {
  const [stderr, stdout, text] = streams
  await Promise.race(
    [stderr, stdout].map(async (input) => {
      for await (const line of createInterface({ input })) if (line.includes(text)) return
      await new Promise(() => undefined)
    }),
  )
  for (const stream of [stderr, stdout]) stream.resume()
}
