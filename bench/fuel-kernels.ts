/**
 * What reducers do, in AssemblyScript: each exported function is one kernel, run with the size that stands
 * beside it, and gives a number so that nothing of it can be left out.
 */
export const KERNELS: ReadonlyMap<string, number> = new Map([
  ['codec', 2_000],
  ['sort', 20_000],
  ['sort_by_comparator', 4_000],
  ['map', 10_000],
  ['strings', 4_000],
  ['hash', 200_000],
  ['recursion', 24],
  ['sieve', 200_000],
  ['virtual_calls', 50_000],
  ['floats', 20_000],
])

export const KERNEL_SOURCE = `
class Row { constructor(public id: u64, public owner: u64, public role: string, public at: i64) {} }

function writeU32(at: usize, value: u32): usize { store<u32>(at, value); return at + 4 }
function readU32(at: usize): u32 { return load<u32>(at) }

function pack(at: usize, row: Row): usize {
  store<u64>(at, row.id)
  store<u64>(at, row.owner, 8)
  store<i64>(at, row.at, 16)
  const size = String.UTF8.byteLength(row.role)
  at = writeU32(at + 24, size)
  String.UTF8.encodeUnsafe(changetype<usize>(row.role), row.role.length, at)
  return at + size
}

/** Rows to bytes and back, as the SDK's codec does it. */
export function codec(count: i32): i32 {
  const buffer = heap.alloc(<usize>count * 64)
  let at = buffer
  for (let i = 0; i < count; i++) at = pack(at, new Row(i, 7, "caller", i * 1000))
  let sum: u64 = 0
  let from = buffer
  while (from < at) {
    const size = readU32(from + 24)
    const row = new Row(load<u64>(from), load<u64>(from, 8), String.UTF8.decodeUnsafe(from + 28, size), load<i64>(from, 16))
    sum += row.id + row.role.length
    from += 28 + size
  }
  return <i32>sum
}

function quickSort(numbers: StaticArray<i32>, first: i32, last: i32): void {
  if (first >= last) return
  const pivot = numbers[(first + last) >> 1]
  let low = first
  let high = last
  while (low <= high) {
    while (numbers[low] < pivot) low++
    while (numbers[high] > pivot) high--
    if (low <= high) {
      const kept = numbers[low]
      numbers[low++] = numbers[high]
      numbers[high--] = kept
    }
  }
  quickSort(numbers, first, high)
  quickSort(numbers, low, last)
}

export function sort(count: i32): i32 {
  const numbers = new StaticArray<i32>(count)
  let state: u32 = 1
  for (let i = 0; i < count; i++) { state = state * 1664525 + 1013904223; numbers[i] = <i32>(state >> 1) }
  quickSort(numbers, 0, count - 1)
  return numbers[count >> 1]
}

export function sort_by_comparator(count: i32): i32 {
  const rows = new Array<Row>(0)
  let state: u32 = 1
  for (let i = 0; i < count; i++) { state = state * 1664525 + 1013904223; rows.push(new Row(state, 1, "", 0)) }
  rows.sort((left, right) => left.id < right.id ? -1 : left.id > right.id ? 1 : 0)
  return <i32>rows[count >> 1].id
}

export function map(count: i32): i32 {
  const counts = new Map<i32, i32>()
  for (let i = 0; i < count; i++) {
    const key = (i * 7919) % 1000
    counts.set(key, counts.has(key) ? counts.get(key) + 1 : 1)
  }
  let sum = 0
  for (let key = 0; key < 1000; key++) if (counts.has(key)) sum += counts.get(key)
  return sum
}

export function strings(count: i32): i32 {
  let length = 0
  for (let i = 0; i < count; i++) {
    const line = "turn " + i.toString() + ": the water came up through the floor"
    length += line.toUpperCase().indexOf("WATER") + line.split(" ").length
  }
  return length
}

export function hash(count: i32): i32 {
  const bytes = new StaticArray<u8>(1024)
  for (let i = 0; i < 1024; i++) bytes[i] = <u8>i
  let state: u32 = 2166136261
  for (let i = 0; i < count; i++) state = (state ^ bytes[i & 1023]) * 16777619
  return <i32>state
}

export function recursion(depth: i32): i32 {
  return depth < 2 ? depth : recursion(depth - 1) + recursion(depth - 2)
}

export function sieve(count: i32): i32 {
  const isComposite = new StaticArray<bool>(count + 1)
  let primes = 0
  for (let i = 2; i <= count; i++) {
    if (isComposite[i]) continue
    primes++
    for (let multiple = i + i; multiple <= count; multiple += i) isComposite[multiple] = true
  }
  return primes
}

abstract class Shape { abstract area(scale: i32): i32 }
class Square extends Shape { constructor(public side: i32) { super() } area(scale: i32): i32 { return this.side * this.side * scale } }
class Strip extends Shape { constructor(public length: i32) { super() } area(scale: i32): i32 { return this.length * scale } }

export function virtual_calls(count: i32): i32 {
  const shapes: Shape[] = [new Square(3), new Strip(4), new Square(5)]
  let sum = 0
  for (let i = 0; i < count; i++) sum += shapes[i % 3].area(i)
  return sum
}

class Body { constructor(public x: f64, public y: f64, public vx: f64, public vy: f64, public mass: f64) {} }

/** Sums, means and distances: where NaN could come from. */
export function floats(count: i32): i32 {
  const bodies: Body[] = [new Body(0, 0, 0, 0, 10), new Body(1, 2, 0.1, 0, 1), new Body(-3, 1, 0, 0.2, 2)]
  for (let step = 0; step < count; step += 9) {
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
      if (i == j) continue
      const dx = bodies[j].x - bodies[i].x
      const dy = bodies[j].y - bodies[i].y
      const distance = Math.sqrt(dx * dx + dy * dy + 0.01)
      const pull = bodies[j].mass / (distance * distance * distance)
      bodies[i].vx += dx * pull * 0.001
      bodies[i].vy += dy * pull * 0.001
    }
    for (let i = 0; i < 3; i++) { bodies[i].x += bodies[i].vx * 0.001; bodies[i].y += bodies[i].vy * 0.001 }
  }
  return <i32>(bodies[0].x * 1e9)
}
`
