import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as limits from '../../host/limits.ts'
import { frameSlots, leafSlotsMax, mergedPriceMax, staticPriceMax } from '../../host/module/rewrite/bounds.ts'
import * as schedule from '../../host/sandbox/fuel-schedule.ts'

const page = readFileSync(new URL('../../docs/fuel.md', import.meta.url), 'utf8')

function number(value: number): string {
  return value.toLocaleString('en-US')
}

test('docs/fuel.md shows the schedule that is built in', () => {
  const parts = schedule.instancePartPrices
  const rows = [
    `**schedule ${schedule.FUEL_SCHEDULE_VERSION}**`,
    `default budget is ${number(limits.fuelPerCallMax)} units`,
    `| a call, with the instance made for it | ${number(schedule.instancePrice)} |`,
    `| a page of its memory, cleared | ${number(schedule.instancePagePrice)} |`,
    `| ${[parts.function, parts.global, parts.tableEntry, parts.element, parts.dataSegment].join(', ')} |`,
    `| calling the host at all | ${number(schedule.hostCallPrice)} |`,
    `| asking a table anything | ${number(schedule.tablePrice)} |`,
    `| a row that is read | ${number(schedule.rowPrice)} |`,
    `| a row that is counted | ${number(schedule.countedRowPrice)} |`,
    `| a row that is written, or looked for to be written | ${number(schedule.changedRowPrice)} |`,
    `| \`memory.copy\` | ${schedule.instructionPrice(0xfc0a)}, and 1 for ${schedule.bytesPerUnit} bytes |`,
    `| \`memory.fill\` | ${schedule.instructionPrice(0xfc0b)}, and 1 for ${schedule.bytesPerUnit} bytes |`,
    `| \`memory.grow\` | ${number(schedule.instructionPrice(0x40))}, and ${number(schedule.growPagePrice)} a page`,
    `| a round of a loop, besides what is in it | ${schedule.roundPrice} |`,
    `| entering a function | 1 for ${schedule.localsPerUnit} locals`,
    `(${mergedPriceMax} units and more)`,
    `at most ${staticPriceMax} units on any way`,
    `${number(limits.stackSlotsPerCallMax)} stack slots`,
    `A function takes ${frameSlots},`,
    `up to ${leafSlotsMax} slots`,
  ]
  assert.deepEqual(
    rows.filter((row) => !page.includes(row)),
    [],
  )
})

test('every instruction costs what its row of docs/fuel.md says', () => {
  const prices: readonly (readonly [price: number, opcodes: readonly number[]])[] = [
    [0, [0x01, 0x02, 0x03, 0x05, 0x0b, 0x1a, 0x20, 0x41, 0x42, 0x43, 0x44]],
    [1, [0x00, 0x04, 0x0c, 0x0d, 0x0f, 0x1b, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x45, 0x5b, 0x66, 0x67, 0x6a, 0x8a, 0xc0, 0xc4]],
    [2, [0x0e, 0x28, 0x3e, 0x8b, 0x92, 0xa0, 0xa7, 0xbf, 0xfc00, 0xfc07]],
    [4, [0x10]],
    [8, [0x11]],
    [10, [0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82, 0x91, 0x95, 0x9f, 0xa3]],
  ]
  for (const [price, opcodes] of prices) for (const opcode of opcodes) assert.equal(schedule.instructionPrice(opcode), price, `0x${opcode.toString(16)}`)
})
