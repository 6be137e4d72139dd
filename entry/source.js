/**
 * Where this package's code is: the TypeScript of a clone, or dist/ of an installed package. Node
 * strips no types below node_modules, so a package carries no sources, and a clone never runs a dist/
 * that an earlier `npm pack` left.
 */
import { existsSync } from 'node:fs'

/** The URL of a compiled file, named without its extension: `host/index`. */
export function codeUrl(name) {
  const source = new URL(`../${name}.ts`, import.meta.url)
  return (existsSync(source) ? source : new URL(`../dist/${name}.js`, import.meta.url)).href
}
