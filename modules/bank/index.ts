/**
 * Money between two people's accounts. Each sees and opens their own accounts only; inside of `transfer`
 * and `deposit`, and nowhere else, the account that is paid into may be read and changed too. A publish
 * shows that as a grant of theirs.
 *
 * What no policy that widens may undo is said by policies that narrow: an account begins empty and is
 * never overdrawn, and inside of `deposit` nobody but a teller reaches any account, their own included.
 */
import { Appender, Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("accounts")
@policy("insert", "cents = 0", { restrictive: true })
@policy("update", "true", { restrictive: true, check: "cents >= 0" })
@policy("read", "true", { in: ["transfer", "deposit"] })
@policy("update", "true", { in: ["transfer", "deposit"] })
@policy("all", "claim('role') = 'teller' and assurance = 'signed'", { in: ["deposit"], restrictive: true })
class Account {
  @autoIncrement id: u64;
  @owner holder: Identity;
  cents: i64;
}

/** What was paid: both sides see it, and nobody writes one that was not. */
@table("payments")
@index("payer", "at")
@index("payee", "at")
@policy("read", "payer = sender or payee = sender")
@policy("insert", "payer = sender and cents > 0", { in: ["transfer"] })
class Payment {
  @autoIncrement id: u64;
  payer: Identity;
  payee: Identity;
  cents: i64;
  at: Timestamp;
}

@reducer
export function openAccount(ctx: Context, accounts: Appender<Account>): u64 {
  return accounts.insert(new Account(0)).id;
}

/** For tellers: the policy says so, and this function need not. */
@reducer
export function deposit(ctx: Context, accounts: Writer<Account>, holder: Identity, account: u64, cents: i64): bool {
  const found = accounts.getOf(holder, account);
  if (found === null) return false;
  found.cents += cents;
  return accounts.update(found);
}

/** From the caller's account to somebody's; an account that would be overdrawn is refused by its policy. */
@reducer
export function transfer(ctx: Context, accounts: Writer<Account>, payments: Appender<Payment>, from: u64, payee: Identity, to: u64, cents: i64): void {
  if (cents <= 0) return ctx.fail("pay at least one cent");
  const source = accounts.get(from);
  if (source === null) return ctx.fail("you have no such account");
  source.cents -= cents;
  accounts.update(source);
  const target = accounts.getOf(payee, to);
  if (target === null) return ctx.fail("there is no such account");
  target.cents += cents;
  accounts.update(target);
  payments.insert(new Payment(ctx.sender, payee, cents, ctx.timestamp));
}

@query
export function balance(ctx: Context, accounts: Reader<Account>, holder: Identity, account: u64): i64 {
  const found = accounts.getOf(holder, account);
  return found === null ? -1 : found.cents;
}

@query
export function paid(ctx: Context, payments: Reader<Payment>, limit: u32): Payment[] {
  return payments.where.payer.is(ctx.sender).latest(limit);
}

@query
export function received(ctx: Context, payments: Reader<Payment>, limit: u32): Payment[] {
  return payments.where.payee.is(ctx.sender).latest(limit);
}
