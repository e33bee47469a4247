// What Python gives the tests: the engine, which is loaded here, and cases with Python's answers (page_cases.py).

import { readFileSync } from "node:fs";

import { load } from "../../src/deltarule/playground/static/engine/module.js";
import { readModel } from "../../src/deltarule/playground/static/shared/model_file.js";

export const engine = readFileSync(process.env.ENGINE);
export const { rate, cases, older, runs } = JSON.parse(readFileSync(process.env.CASES, "utf8"));

await load(engine);

/** The network in a model file that is given in base64. */
export function networkIn(text) {
    return readModel(Uint8Array.from(Buffer.from(text, "base64")).buffer);
}
