/** A class with @agent: what its module says of it, and what is wrong with one. */
import assert from 'node:assert/strict'
import test from 'node:test'

import { describe, refusal } from './module-fixture.ts'

const parts = `
@record class Message { role: string; content: string; }
@record class Prompt { messages: Message[]; }
@query export function prompt(ctx: Context, said: string): Prompt { return new Prompt([]); }
@query export function hello(ctx: Context): string { return "hello"; }
/**
 * Opens a claim,
 * and returns its number.
 */
@reducer
export function openClaim(ctx: Context, kind: string): u64 { return 1; }
@hook export function heard(ctx: Context, turn: u32, text: string): void {}
`

function agent(options: string): string {
  return `${parts}\n@agent("claims", ${options})\nclass Line {}\n`
}

async function problems(source: string): Promise<readonly string[]> {
  return (await refusal(source)).map((problem) => problem.replace(/^index\.ts:\d+:\d+ /, ''))
}

test('a module describes its agents, and its tools by their comments', async () => {
  const { agents } = (await describe(agent('{ prompt: "prompt", greeting: "hello", tools: ["openClaim"], callerTurn: "heard" }'))) as { agents: unknown }
  assert.deepEqual(agents, [
    {
      name: 'claims',
      prompt: 'prompt',
      greeting: 'hello',
      tools: [{ name: 'open_claim', description: 'Opens a claim, and returns its number.' }],
      hooks: { caller_turn: 'heard' },
    },
  ])
})

test('what an agent names must be there, and be what it is named as', async () => {
  assert.deepEqual(await problems(agent('{ prompt: "openClaim" }')), ['Line: open_claim is no query of this module'])
  assert.deepEqual(await problems(agent('{ prompt: "prompt", callerTurn: "openClaim" }')), ['Line: open_claim is no hook of this module'])
  assert.deepEqual(await problems(agent('{ prompt: "prompt", tools: ["heard"] }')), ['Line: heard is no reducer or query of this module'])
  assert.deepEqual(await problems(agent('{ prompt: "prompt", tools: ["openClaim", "openClaim"] }')), ['Line: a tool is named once'])
  assert.deepEqual(await problems(agent('{ prompt: "hello" }')), [
    'Line: hello gives string; a prompt is a record with a field messages, of records with role: string and content: string',
  ])
  assert.deepEqual(await problems(agent('{ prompt: "prompt", greeting: "prompt" }')), ['Line: prompt gives record:prompt; a greeting is a string'])
})

test('a hook takes by name and type what its event has', async () => {
  const [problem = ''] = await problems(agent('{ prompt: "prompt", agentTurn: "heard" }'))
  assert.match(problem, /^Line: heard\(text: string\) is nothing the host has here; it may take session: string, turn: u32, intended: string/)
})

test('an agent is written as the message shows', async () => {
  assert.match((await problems(agent('{ greeting: "hello" }')))[0] ?? '', /^Line: an agent has a prompt/)
  assert.match((await problems(agent('{ prompt: "prompt", promt: "hello" }')))[0] ?? '', /^Line: @agent has no promt; did you mean prompt\?/)
  assert.match((await problems(agent('{ prompt: ["prompt"] }')))[0] ?? '', /^Line: prompt of @agent names a function/)
  assert.match((await problems(`${parts}@agent class Line {}`))[0] ?? '', /^Line: an agent is written @agent\("name"/)
  assert.match((await problems(`${parts}@agent("claims", { prompt: "prompt" }) class Line { name: string = ""; }`))[0] ?? '', /no members/)
  assert.match(
    (await problems(`${agent('{ prompt: "prompt" }')}@agent("claims", { prompt: "prompt" }) class Other {}`))[0] ?? '',
    /two agents would be called claims/,
  )
})
