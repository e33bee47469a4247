// The engine in C (native/step.c), compiled to WebAssembly: its memory, and calls of it. Touches no page.

const ALIGNED = 64;
const PAGE = 65_536;

/** The module's description of itself: the fields of a call, those that are reals, codes of names, parts that it computes. */
export const about = {};

let engine = null; // its exports
let top = 0; // where its memory is free
let holder = null; // the Call whose numbers lie below

/**
 * Makes the engine ready; everything else here needs that.
 * @param {BufferSource} bytes the module
 */
export async function load(bytes) {
    try {
        engine = (await WebAssembly.instantiate(bytes)).instance.exports;
    } catch (error) {
        throw new Error(whyNot(bytes, error), { cause: error });
    }
    [holder, top] = [null, engine.__heap_base.value];
    const text = new Uint8Array(engine.memory.buffer, engine.description());
    Object.assign(about, JSON.parse(new TextDecoder().decode(text.slice(0, text.indexOf(0)))));
}

function whyNot(bytes, { message }) {
    if (typeof WebAssembly === "undefined") {
        return "this browser has no WebAssembly, or it is switched off: use another one";
    }
    return WebAssembly.validate(bytes)
        ? `WebAssembly is not allowed here (${message}): a Content-Security-Policy needs script-src 'wasm-unsafe-eval'`
        : "this browser has no WebAssembly with SIMD: use Chrome 117, Firefox 121, Safari 16.4 or a later one";
}

/** The number that stands for a part, and the settings that its kernel takes. */
export function kernelOf(kind, part) {
    const [code, ...settings] = about.parts[kind][part.name];
    return [about.codes[code], ...settings.map((name) => part[name] ?? 0)];
}

/** An array of the module's memory like another one. */
const viewOf = (array, place) => new array.constructor(engine.memory.buffer, place, array.length);

/** Puts an array, or a list of arrays, into the memory. */
function put(value) {
    const array = Array.isArray(value) ? Uint32Array.from(value, put) : value;
    const place = top;
    top = Math.ceil((top + array.byteLength) / ALIGNED) * ALIGNED;
    const pages = Math.ceil((top - engine.memory.buffer.byteLength) / PAGE);
    if (pages > 0) {
        engine.memory.grow(pages);
    }
    viewOf(array, place).set(array);
    return place;
}

/**
 * Calls a function of the module.
 * @param {...(number | Float64Array)} given
 * @returns {Float64Array} the array before the last number, as the function leaves it
 */
export function apply(name, ...given) {
    const before = top;
    const places = given.map((each) => (typeof each === "number" ? each : put(each)));
    engine[name](...places);
    top = before;
    return viewOf(given.at(-2), places.at(-2)).slice();
}

/** A call of the engine: some steps, or an evaluation. It lies in the memory until another call takes its place. */
export class Call {
    /** @param {object} fields numbers, arrays and lists of arrays, by the names in native/call.h; the others are 0 */
    constructor(real, fields) {
        const all = { n_threads: 1, clip: Infinity, highest_loss: Infinity, stop: new Uint8Array(1), ...fields };
        Object.assign(this, { real, fields: all, places: {} });
    }

    /** Puts everything into the memory, unless it lies there. */
    hold() {
        if (holder === this) {
            return;
        }
        holder = this;
        top = engine.__heap_base.value;
        this.at = put(new Uint8Array(8 * about.fields.length));
        Object.entries(this.fields).forEach(([name, value]) => this.set(name, value));
        this.set("room", new Uint8Array(Number(engine[`room_bytes_${this.real}`](this.at))));
    }

    /** Sets a field: a number, or an array that is put into the memory. */
    set(name, value) {
        this.places[name] = typeof value === "number" ? value : put(value);
        const Kind = about.reals.includes(name) ? Float64Array : BigInt64Array;
        const place = this.at + 8 * about.fields.indexOf(name);
        new Kind(engine.memory.buffer, place, 1)[0] = Kind === Float64Array ? value : BigInt(this.places[name]);
    }

    /** An array of the call, or a list of them, in the memory: to be read, or written to, before the next call. */
    view(name) {
        const [value, place] = [this.fields[name], this.places[name]];
        const each = (array, index) => viewOf(array, new Uint32Array(engine.memory.buffer, place)[index]);
        return Array.isArray(value) ? value.map(each) : viewOf(value, place);
    }

    /** Makes the call; arrays of these names are copied back. */
    run(...names) {
        this.hold();
        engine[`run_${this.real}`](this.at);
        if (this.fields.z) {
            engine.show_double(this.at);
        }
        names.forEach((name) => {
            const made = [this.view(name)].flat();
            [this.fields[name]].flat().forEach((each, index) => each.set(made[index]));
        });
    }
}
