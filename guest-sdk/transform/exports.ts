/**
 * Phase 4: the module's two exports. Beside each reducer stands a function that unpacks its arguments,
 * runs it and packs its result; `call` picks one by number, in the order of the description.
 */
import type { Source } from 'assemblyscript'

import { addStatements } from './graft.ts'
import type { ModelReducer, ModuleModel } from './model.ts'

const IMPORTS = `
import { context as $context, handle as $handle, returnValue as $returnValue, returnVoid as $returnVoid } from "remembrancer/guest-sdk/call";
import { unpack as $unpackValue } from "remembrancer/guest-sdk/unpack";
`

export function emitExports(entry: Source, model: ModuleModel, description: Uint8Array): void {
  for (const source of new Set(model.reducers.map((one) => one.source))) addStatements(source, IMPORTS)
  for (const reducer of model.reducers) addStatements(reducer.source, runner(reducer))
  addStatements(entry, entryText(model, description))
}

function runner(reducer: ModelReducer): string {
  const { functionName, parameters, result } = reducer
  let handles = 0
  const unpacked: string[] = []
  const passed = parameters.map((parameter, index) => {
    if (parameter.kind === 'handle') return `$handle<${parameter.handle.text}>(${handles++})`
    unpacked.push(`const $${index} = $unpackValue<${parameter.type.text}>();`)
    return `$${index}`
  })
  const call = `${functionName}(${['$context()', ...passed].join(', ')})`
  return `export function ${runnerName(reducer)}(): usize {
    ${unpacked.join('\n')}
    ${result.format === 'void' ? `${call};\nreturn $returnVoid();` : `return $returnValue<${result.text}>(${call});`}
  }`
}

function runnerName({ functionName }: ModelReducer): string {
  return `$run_${functionName}`
}

function entryText({ reducers }: ModuleModel, description: Uint8Array): string {
  const imports = reducers.map((reducer) => `import { ${runnerName(reducer)} } from ${JSON.stringify(importPath(reducer.source))};`)
  const cases = reducers.map((reducer, number) => `case ${number}: return ${runnerName(reducer)}();`)
  return `${imports.join('\n')}
import { beginCall, list } from "remembrancer/guest-sdk/call";
export { cabi_realloc } from "remembrancer/guest-sdk/call";

export function describe(): usize {
  return list(memory.data<u8>([${description.join(',')}]), ${description.length});
}

export function call(reducer: u32, context: usize, contextSize: usize, tables: usize, tableCount: usize, args: usize, argsSize: usize): usize {
  beginCall(context, tables, args);
  switch (reducer) {
    ${cases.join('\n')}
    default: return unreachable();
  }
}`
}

/** From the entry, which lies beside index.ts. */
function importPath(source: Source): string {
  return `./${source.internalPath}`
}
