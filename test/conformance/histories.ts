/** Random histories: calls of two people on few topics, ids and codes, so that they meet each other's rows. */
import fc from 'fast-check'

import type { Step } from './case.ts'

const subject = fc.constantFrom('sarah', 'bob')
const identity = subject.map((login) => ({ $identity: login }))
const id = fc.integer({ min: 0, max: 7 }).map(String)
const topic = fc.constantFrom('water', 'fire', '')
const rank = fc.integer({ min: -2, max: 3 })
const label = fc.option(fc.constantFrom('', 'a', 'é'))
const weight = fc.option(fc.constantFrom<(number | string)[]>(-1.5, 0, 0.5, 'Infinity'))
const direction = fc.constantFrom('all', 'latest', 'newest', 'oldest')
const relation = fc.constantFrom('is', 'from', 'after', 'until', 'before', 'any')
const count = fc.nat({ max: 4 })
const code = fc.constantFrom('red', 'green', 'blue')
const serial = fc.option(fc.constantFrom('S-1', 'S-2', 'serial of the house'))
const time = fc.integer({ min: 1, max: 5 }).map((day) => `2026-01-0${day}T00:00:00Z`)
const topics = fc.array(topic, { maxLength: 3 })
const entry = fc.record({ id, owner: identity, topic, rank, label, weight, remark: fc.constant('replaced') })

const calls: Readonly<Record<string, readonly fc.Arbitrary<unknown>[]>> = {
  add_entry: [topic, rank, label, weight],
  add_entries: [topics],
  import_entry: [entry],
  replace_entry: [entry],
  remark_on: [id, topic],
  remove_entry: [id],
  remove_entry_of: [identity, id],
  read_own_writes: [],
  add_then_refuse: [topic],
  remove_then_trap: [id],
  add_many: [topic, count],
  keep_badge: [code, topic, fc.nat({ max: 2 }), serial],
  recode_badge: [id, code],
  remove_badge: [id],
  reissue_badge: [id],
  swap_badges: [id, id],
  keep_twins: [code],
  put_string: [code, topic],
  replace_string: [code, topic],
  drop_string: [code],
  visit: [topic, time],
  move_visit: [id, time],
  forget_visit: [id],
  keep_quotient: [rank, rank],
  keep_unit: [fc.constantFrom(0, 65, 0xd800)],
  write_by_reader: [],
  say_and_refuse: [topic, code],
}

const queries: Readonly<Record<string, readonly fc.Arbitrary<unknown>[]>> = {
  entry: [id],
  entry_of: [identity, id],
  all_entries: [],
  entry_ids: [direction, count],
  entries_on: [topic, direction, count],
  entries_ranked: [topic, relation, rank, direction, count],
  count_ranked: [topic, relation, rank],
  entries_by_topic: [direction, count],
  entries_by_label: [direction, count],
  entries_by_weight: [direction, count],
  entries_labelled: [label],
  entries_from_label: [label],
  entries_numbered: [id, id, direction],
  entries_owned_by: [identity],
  first_and_last: [topic],
  badge_codes: [],
  badges_of_serial: [serial],
  strings: [],
  visits: [],
  visits_since: [time],
  visit_at: [id],
  now: [],
  divide: [rank, rank],
}

const step: fc.Arbitrary<Step> = fc.oneof(
  ...Object.entries(calls).map(([call, args]) => fc.record({ call: fc.constant(call), as: subject, args: fc.tuple(...args) })),
  ...Object.entries(queries).map(([query, args]) => fc.record({ query: fc.constant(query), as: subject, args: fc.tuple(...args) })),
  fc.record({ link: subject, to: fc.constantFrom('sarah', 'bob') }),
)

export const histories = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' })
