/**
 * What an editor knows of the guest SDK: the names that a module imports, the decorators, and the
 * types of AssemblyScript. It is written by hand, because TypeScript cannot read the SDK's own
 * sources; test/guest-sdk/editor.test.ts holds the two against each other.
 */
/// <reference types="assemblyscript/std/types/assembly/index.d.ts" />

declare global {
  /** A class whose instances are rows of the table of this name. */
  function table(name: string): (target: Function) => void;
  /** A class that travels as a parameter or a result; it gets a constructor that takes its fields in order. */
  function record(target: Function): void;
  /** On the class: a physical order by (owner, these columns, key). */
  function clustered(...columns: string[]): (target: Function) => void;
  /** On the class: an index over these columns. On a column: an index over it. */
  function index(...columns: string[]): (target: Function) => void;
  function index(target: object, column: string): void;
  /** On the class: these columns together are unique within the owner. On a column: it alone is. */
  function unique(...columns: (string | UniqueOptions)[]): any;
  function unique(target: object, column: string): void;

  /** The key: a u64 that the host counts for each owner, from 1, and never uses again. */
  function autoIncrement(target: object, column: string): void;
  /** The key: a column that the author fills. Without an owner it takes `{ global: true }`. */
  function primaryKey(options: UniqueOptions): (target: object, column: string) => void;
  function primaryKey(target: object, column: string): void;
  /** Whose row it is: the host fills it from the sender, and shows the row to nobody else but by a @policy. */
  function owner(options: OwnerOptions): (target: object, column: string) => void;
  function owner(target: object, column: string): void;

  /** Whose data the row is, as the access log keeps it: an Identity, a string or an integer. The owner's when no column is one. */
  function subject(target: object, column: string): void;
  /** On the class: what the access log says of these rows is on the disk before an answer leaves. */
  function audit(how: "strict"): (target: Function) => void;

  /**
   * On the class: for whom `operation` is open. `expression` speaks of the row's columns, of `sender`,
   * `actor`, `assurance`, `channel`, `claim('name')`, and with `exists(table where …)` of other tables.
   */
  function policy(operation: "read" | "insert" | "update" | "delete" | "all", expression: string, options?: PolicyOptions): (target: Function) => void;
  /** On the class: policies of other tables may look into it, whatever its own policies say. */
  function readableByPolicies(target: Function): void;

  /** A function that may write: all that it does happens, or nothing. */
  function reducer(...target: any[]): void;
  /** A function that only reads. */
  function query(...target: any[]): void;
  /** A reducer that runs once, at the first publish. */
  function init(...target: any[]): void;
  /** A reducer that only the host's own session may call. */
  function hook(...target: any[]): void;

  /** On a class without members: an agent that people talk to, made of functions of this module. */
  function agent(name: string, parts: AgentParts): (target: Function) => void;

  interface AgentParts {
    /** The query that gives what the model is told: a record with `messages`, each with `role` and `content`. */
    prompt: string;
    /** The query that gives the first words. */
    greeting?: string;
    /** Reducers and queries that the model may call. */
    tools?: string[];
    /** Hooks of a session: each takes by name what it wants of its event. */
    sessionStarted?: string;
    callerTurn?: string;
    agentTurn?: string;
    toolCalled?: string;
    turnMeasured?: string;
    sessionEnded?: string;
  }

  interface OwnerOptions {
    /** An insert may name another owner than the sender, where a policy admits it. */
    settable: bool;
  }

  interface PolicyOptions {
    /** The reducers and queries inside of which it holds; everywhere when left out. */
    in?: string[];
    /** It narrows what the other policies open. */
    restrictive?: bool;
    /** Of the row that an update leaves; the expression itself when left out. */
    check?: string;
  }

  interface UniqueOptions {
    /** Unique among the rows of all owners. */
    global: bool;
  }
}

/** Whose row it is, or who calls: 32 bytes that a database minted for one person, agent or service. */
export class Identity {
  private constructor();
  /** 64 hexadecimal digits. */
  toString(): string;
}

/** A moment in microseconds since 1970-01-01T00:00:00Z. Compare with ==, <, <=, >, >=. */
export class Timestamp {
  static readonly second: i64;
  static readonly minute: i64;
  static readonly hour: i64;
  static readonly day: i64;
  readonly micros: i64;
  constructor(micros: i64);
  plus(micros: i64): Timestamp;
  minus(micros: i64): Timestamp;
  /** Microseconds from `earlier` to this moment. */
  since(earlier: Timestamp): i64;
}

/** One JSON value as its text. */
export class Json {
  readonly text: string;
  constructor(text: string);
  toString(): string;
}

/** A number or bool that may be absent; it is itself never null. */
export class Nullable<T> {
  private constructor();
  static of<V>(value: V): Nullable<V>;
  static none<V>(): Nullable<V>;
  readonly isNull: bool;
  /** Ends the call with an error when there is none. */
  readonly value: T;
  or(other: T): T;
}

/** How the sender's identity was proven, weakest first. */
export enum Assurance {
  None,
  Claimed,
  Provider,
  Signed,
}

export enum Level {
  Debug,
  Info,
  Warn,
  Error,
}

/** What the host says about one call. */
export class Context {
  private constructor();
  /** Whose call it is: the identity that owns the rows it writes. */
  readonly sender: Identity;
  /** Who acts: the sender, or an agent, a service or the host for them. */
  readonly actor: Identity;
  /** The call's one time: it does not pass while the call runs. */
  readonly timestamp: Timestamp;
  readonly assurance: Assurance;
  /** What carried the call: "http", "process", ... */
  readonly channel: string;
  /** The claim of the token with this name, or null. */
  claim(name: string): string | null;
  /** At least 0 and less than 1. */
  random(): f64;
  randomU64(): u64;
  log(message: string, level?: Level): void;
  /**
   * Ends the call with an error for its caller; everything that the call did is undone. Does not
   * return: `return ctx.fail("…")`, or `return ctx.fail<Turn[]>("…")` where a value is due.
   */
  fail<T = void>(message: string): T;
}

type Key = number | bool | string | Identity | Timestamp | Uint8Array;
type Columns<T> = { readonly [C in keyof T]: Column<T, T[C]> };

/** A condition on one column. */
export class Column<T, V> {
  private constructor();
  is(value: V): Selection<T>;
  /** Only for a nullable column. */
  isNull(): Selection<T>;
  /** At or after `value` (>=). */
  from(value: V): Selection<T>;
  /** After `value` (>). */
  after(value: V): Selection<T>;
  /** At or before `value` (<=). */
  until(value: V): Selection<T>;
  /** Before `value` (<). */
  before(value: V): Selection<T>;
  /** From `first` to `last`, both of them included. */
  between(first: V, last: V): Selection<T>;
  /** Every value: the column only orders. */
  any(): Selection<T>;
}

/** Rows of a table in an order. An index must serve its conditions: equalities first, then one range. */
export class Selection<T> {
  private constructor();
  /** One more condition. */
  readonly and: Columns<T>;
  /** Every row, in ascending order. */
  all(): T[];
  /** The last `count` rows of the order, given in that order: the oldest of them first. */
  latest(count: u32): T[];
  /** The last `count` rows of the order, the last one first. */
  newest(count: u32): T[];
  /** The first `count` rows of the order. */
  oldest(count: u32): T[];
  first(): T | null;
  last(): T | null;
  count(): u64;
}

/** The right to read one table for one call. */
export class Reader<T> {
  /** A handle is given, never made. */
  protected constructor();
  /** The sender's own row with this key, or null. */
  get(id: Key): T | null;
  /** The row of `owner` with this key, or null: hidden and absent are one answer. */
  getOf(owner: Identity, id: Key): T | null;
  /** Conditions on columns: `turns.where.role.is("agent").latest(20)`. */
  readonly where: Columns<T>;
  /** Every row, in the order in which they were written. */
  all(): T[];
  /** The newest `count` rows in the order in which they were written: the oldest of them first. */
  latest(count: u32): T[];
  /** The newest `count` rows, the newest first. */
  newest(count: u32): T[];
  /** The oldest `count` rows, the oldest first. */
  oldest(count: u32): T[];
  count(): u64;
}

/** The right to add rows to one table for one call, and nothing else. */
export class Appender<T> {
  private constructor();
  /** Stores the row and returns it with its owner and its assigned id filled in. */
  insert(row: T): T;
  insertAll(rows: T[]): void;
}

/** The right to read, add, replace and delete rows of one table for one call. */
export class Writer<T> extends Reader<T> {
  /** Stores the row and returns it with its owner and its assigned id filled in. */
  insert(row: T): T;
  insertAll(rows: T[]): void;
  /** Replaces the row that has this row's key; false when there is none. */
  update(row: T): bool;
  /** Deletes the sender's own row with this key; false when there is none. */
  delete(id: Key): bool;
  deleteOf(owner: Identity, id: Key): bool;
}
