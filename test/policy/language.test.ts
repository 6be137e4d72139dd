/** The language of policies: what an author writes, what it means, and where a caret stands when it is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { checkPolicies, pointAt } from '../../host/policy/check-policies.ts'
import { parseExpression } from '../../host/policy/parse.ts'
import { ExpressionError } from '../../host/policy/syntax.ts'
import type { Syntax } from '../../host/policy/syntax.ts'
import { emptySchema, planSchema } from '../../host/schema/schema.ts'
import { moduleJson, parse, turns } from '../schema/description-fixture.ts'
import type { Json } from '../schema/description-fixture.ts'
import { expressions } from './random-policies.ts'

// ---- the tree ------------------------------------------------------------------------------------

const names = ['role', 'caller', 'openedAt', 'x_1'] as const
const leaves: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...names, 'turns.role', 'sender', "claim('role')", "'it''s'", '12', '-1.5', 'true', 'null'))

/** A tree with its text written two ways: with the fewest parentheses, and with some too many. */
interface Written {
  readonly level: number
  readonly plain: string
  readonly shouted: string
}

const wrap = (one: Written, level: number): Written => (one.level >= level ? one : { level: 9, plain: `(${one.plain})`, shouted: `( ${one.shouted} )` })

const trees: fc.Arbitrary<Written> = fc.letrec<{ tree: Written }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(leaves, fc.constantFrom('=', '<>', '<='), leaves).map(([left, sign, right]) => {
      return { level: 4, plain: `${left} ${sign} ${right}`, shouted: `(${left})${sign}\n${right}` }
    }),
    leaves.map((leaf) => ({ level: 4, plain: `${leaf} is null`, shouted: `${leaf}  IS  NULL` })),
    leaves.map((leaf) => ({ level: 4, plain: `${leaf} in (1, 'a')`, shouted: `${leaf} In(1,'a')` })),
    tie('tree').map((term) => {
      const inner = wrap(term, 3)
      return { level: 3, plain: `not ${inner.plain}`, shouted: `NOT (${term.shouted})` }
    }),
    fc.tuple(fc.constantFrom('and', 'or'), fc.array(tie('tree'), { minLength: 2, maxLength: 3 })).map(([word, terms]) => {
      const level = word === 'and' ? 2 : 1
      const inner = terms.map((term) => wrap(term, level + 1))
      return {
        level,
        plain: inner.map((term) => term.plain).join(` ${word} `),
        shouted: inner.map((term) => `(${term.shouted})`).join(` ${word.toUpperCase()} `),
      }
    }),
  ),
})).tree

/** A tree without its places. */
function shapeOf(tree: Syntax): unknown {
  return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'at' ? undefined : typeof value === 'bigint' ? `${value}n` : value)))
}

test('parentheses, case and space change nothing but what they group', () => {
  fc.assert(
    fc.property(trees, ({ plain, shouted }) => assert.deepEqual(shapeOf(parseExpression(plain)), shapeOf(parseExpression(shouted)), plain)),
    {
      numRuns: 500,
    },
  )
})

test('and binds before or, not before and, a comparison before not', () => {
  const same = (one: string, other: string): void => assert.deepEqual(shapeOf(parseExpression(one)), shapeOf(parseExpression(other)))
  same('a = 1 or b = 2 and not c = 3', '(a = 1) or ((b = 2) and (not (c = 3)))')
  same('not a is null and b', '(not (a is null)) and b')
  same('a not in (1) or a is not null', '(not a in (1)) or not (a is null)')
})

test('whatever text comes, it is read or refused at a place inside of it', () => {
  const broken = fc
    .tuple(expressions, fc.nat(200), fc.constantFrom('', "'", '(', ')', 'or', '\0', '\u{1f600}', 'is', '"', '..', '1e999', '&&'))
    .map(([text, at, more]) => {
      const place = Math.min(at, text.length)
      return text.slice(0, place) + more + text.slice(place + 1)
    })
  fc.assert(
    fc.property(fc.oneof(broken, fc.string({ unit: 'binary' })), (text) => {
      try {
        parseExpression(text)
      } catch (error) {
        assert(error instanceof ExpressionError)
        assert.ok(error.at >= 0 && error.at <= text.length && error.message.length < 200)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('size and depth end before the stack does', () => {
  assert.throws(() => parseExpression('a = 1 or '.repeat(300)), { message: 'an expression of 2700 characters: at most 2000' })
  for (const opening of ['(', 'not ', 'not (', 'exists(m where ']) {
    assert.throws(() => parseExpression(opening.repeat(1_900 / opening.length)), /nested deeper than 32|at most 8 tables/)
  }
})

// ---- what is wrong -------------------------------------------------------------------------------

const members = {
  name: 'members',
  columns: [
    { name: 'id', type: 'u64' },
    { name: 'team', type: 'u64' },
    { name: 'person', type: 'identity' },
    { name: 'channel', type: 'string' },
  ],
  key: 'id',
  autoIncrement: true,
  owner: null,
  clustered: [],
  uniques: [],
  indexes: [{ columns: ['team'] }],
  readableByPolicies: true,
}
const secrets = { ...members, name: 'secrets', readableByPolicies: false }
const notes = {
  ...turns,
  columns: [
    ...turns.columns,
    { name: 'team', type: 'u64' },
    { name: 'extra', type: 'json?' },
    { name: 'score', type: 'f64' },
    { name: 'channel', type: 'string' },
  ],
}

function problemsOf(policies: readonly Json[], of: 'turns' | 'members' = 'turns'): readonly string[] {
  const tables = [
    { ...notes, policies: of === 'turns' ? policies : [{ operation: 'read', expression: 'exists(members where members.team = turns.team)' }] },
    { ...members, policies: of === 'members' ? policies : [] },
    secrets,
  ]
  const module = parse(moduleJson({ tables }))
  const { problems } = checkPolicies(module, planSchema(emptySchema, module).schema)
  return problems.map(({ table, policy, part, message, at }) => {
    const written = module.tables.find((one) => one.name === table)?.policies[policy]
    const text = part === 'check' ? (written?.check ?? '') : (written?.expression ?? '')
    return at === undefined ? message : `${message}\n${pointAt(text, at)}`
  })
}

/** `¦` marks the place that the message is about. */
function refused(marked: string, message: string, of: 'turns' | 'members' = 'turns'): void {
  const at = marked.indexOf('¦')
  const text = marked.replace('¦', '')
  assert.deepEqual(problemsOf([{ operation: 'read', expression: text }], of), [`${message}\n  ${text}\n  ${' '.repeat(at)}^`])
}

test('what cannot be read is pointed at', () => {
  refused('role ¦== 1', '== is not written here: write =')
  refused("role = 'a' ¦&& true", '&& is not written here: write and')
  refused('role = ¦"a"', "\" is not written here: write a text in single quotes, 'so'")
  refused("role = ¦'a", 'a text that does not end')
  refused('role = ¦', 'the expression ends where a value is expected')
  refused("role = 'a' ¦role", 'the expression has ended here: join what follows with and, or')
  refused('role in ¦', '( is expected here')
  refused('role is ¦1', 'is null, or is not null is expected here')
  refused('(role is null¦', ') is expected here')
  refused('¦; drop table turns', 'this is no part of an expression')
  refused('team = ¦9223372036854775808', 'an integer outside of −2^63 to 2^63 − 1')
})

test('a name that is nothing is refused with what there is', () => {
  refused("¦rule = 'a'", 'turns has no column rule; it has id, caller, role, content, at, team, extra, score, channel')
  refused("¦note.role = 'a'", 'there is no table note here; there is turns, ctx')
  refused('¦ctx.user = caller', "a call has no user; it has sender, actor, assurance, channel, and claim('…')")
  refused("¦claim('roles') = 'a'", 'the claim roles has a meaning of its own in a token and reaches no call')
})

test('values of different types are not compared', () => {
  refused("team = ¦'a'", 'a text cannot be compared with an integer')
  refused('team = ¦score', 'a float cannot be compared with an integer')
  refused('team = ¦1.5', 'a float cannot be compared with an integer')
  refused("caller = ¦'ab'", 'a text cannot be compared with an identity: identities are those of columns, sender and actor')
  refused("at < ¦'yesterday'", 'a time is written as in 2026-11-22T09:30:00Z')
  refused("assurance = ¦'high'", 'an assurance is one of none, claimed, provider, signed')
  refused('extra ¦= extra', 'Json has no order and no equality: only is null can be asked of it')
  refused('¦role', 'this is a text and neither true nor false: compare it with something')
  refused('(role ¦= content) = true', 'a condition is no value to compare: join conditions with and, or, not')
})

test('what a name means is never a guess', () => {
  refused("¦channel = 'http'", "channel is a column and also the call's: write turns.channel or ctx.channel")
  refused('exists(members where ¦team = turns.team)', 'inside exists a column is written with its table: turns.team or members.team')
  refused('¦exists(members as turns where turns.team = 1)', 'turns names something else already: write exists(members as another_name where …)')
  assert.deepEqual(
    problemsOf([{ operation: 'read', expression: 'turns.channel = ctx.channel and exists(members as M where m.team = turns.team and m.person = sender)' }]),
    [],
  )
})

test('policies look only into tables that say so, through an index, and in no circle', () => {
  refused('¦exists(secrets where secrets.team = turns.team)', 'policies may not look into secrets: declare it with @readableByPolicies')
  refused('¦exists(nothing where true)', 'there is no table nothing; policies may look into members')
  refused('¦exists(members where members.person = sender)', 'no index of members serves this: it needs an @index over person')
  refused('¦exists(members where members.team = members.id)', 'no index of members serves this: it needs one of its columns equal to something')
  refused('¦exists(members as m where m.team = members.team)', 'members would be decided by rows of members: looks may form no circle', 'members')
})

test('a policy that could never hold, or a check of nothing, is refused', () => {
  const only = (policy: Json): readonly string[] => problemsOf([{ expression: 'true', ...policy }])
  assert.deepEqual(only({ operation: 'read', in: ['nobody'] }), ['there is no reducer nobody; there is remember_turn'])
  assert.deepEqual(only({ operation: 'update', in: ['remember_turn'] }), ['remember_turn does not write turns, so that this would never hold'])
  assert.deepEqual(only({ operation: 'insert', in: ['remember_turn'] }), [])
  assert.deepEqual(only({ operation: 'insert', check: 'true' }), ['of an insert the expression is the check already: leave the check out\n  true\n  ^'])
  assert.deepEqual(only({ operation: 'delete', check: 'true' }), ['a delete leaves no new row to check: leave the check out\n  true\n  ^'])
})

test('names may be written as in the class, and words of the language in any case', () => {
  assert.deepEqual(problemsOf([{ operation: 'read', expression: 'TEAM = 1 AND Turns.Team IS NOT NULL or Sender = Caller' }]).length, 0)
})

test('a long expression is shown around the place', () => {
  const text = `${"role = 'aaaaaaaaaa' or ".repeat(20)}rule = 1${" or role = 'b'".repeat(20)}`
  const shown = pointAt(text, text.indexOf('rule')).split('\n')
  assert.match(shown[0] ?? '', /^ {2}….*rule = 1.*…$/)
  assert.equal(shown[0]?.indexOf('rule'), shown[1]?.indexOf('^'))
})
