/**
 * Text of guests and callers on its way to a terminal or a line of a log: what would move a cursor,
 * begin another line or turn the direction of writing becomes its \u escape (ATTACKS 25, 91). Joiners
 * stay, since languages are written with them.
 */

const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Whether a text is safe to print as it is. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) === -1
}
