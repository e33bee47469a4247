// What every tab looks at: one drawing, one input, what the network makes of it, and which tab is open. Touches no page.

export const PAD_SIZE = 280; // strokes are kept in pixels of a pad of this many by this many

/**
 * @typedef {object} Drawing  what the pad holds; never changed once a newer one is there, so that undo is going back
 * @property {number[][][]} strokes  list of strokes, each a list of [x, y] in pad pixels, multiples of 1/2
 * @property {{pixels: Uint8Array, width: number, height: number, gray: boolean|undefined}|null} picture  beneath the
 *     strokes: ink 255 on 0, or where `gray`, white 255 and black 0
 * @property {{image: Uint8Array|null, stages: object[]}|null|undefined} reading  the server's, of an image file
 * @property {"pad"|"example"|"file"} source
 * @property {number} dx  how far the picture was nudged, in pad pixels
 * @property {number} dy
 * @property {Drawing|null} before  the drawing that undo brings back
 */

/** The drawing with nothing on it. */
export const BLANK = Object.freeze({ strokes: [], picture: null, source: "pad", dx: 0, dy: 0, before: null });

export class Store extends EventTarget {
    /** @param {(network: object, x: Float64Array) => {z: Float64Array[], a: Float64Array[]}} forward */
    constructor(forward) {
        super();
        this.forward = forward;
        this.network = null;
        this.drawing = BLANK;
        this.skip = false; // whether the pad goes to the network as it is, past the normalizer
        this.stages = []; // what the normalizer did: list of {name, width, height, pixels}
        this.x = null; // Float64Array (n_inputs), or null where there is nothing to read
        this.label = null; // what the input should be: a class index, or null where nobody has said
        this.trace = null; // forward(network, x), computed once a change
        this.tab = "draw";
    }

    /**
     * Takes the fields named in `values`, computes the trace where it has to, and tells everyone once: an Event
     * "change" whose `keys` is the Set of the names that changed.
     */
    set(values) {
        const keys = new Set(Object.keys(values).filter((name) => this[name] !== values[name]));
        keys.forEach((name) => {
            this[name] = values[name];
        });
        if (keys.has("network") || keys.has("x")) {
            this.trace = this.network && this.x ? this.forward(this.network, this.x) : null;
            keys.add("trace");
        }
        if (keys.size > 0) {
            this.dispatchEvent(Object.assign(new Event("change"), { keys }));
        }
    }

    /** Puts an image of a data set on the pad, and before the network exactly as it is. pixels: 28x28 in 0..most. */
    showExample(pixels, label = null, most = 255) {
        const shown = Uint8Array.from(pixels, (value) => Math.round(255 * Math.min(Math.max(value / most, 0), 1)));
        const picture = { pixels: shown, width: 28, height: 28 };
        const drawing = { ...BLANK, picture, source: "example", before: this.drawing };
        this.set({ drawing, label, x: Float64Array.from(pixels, (value) => value / most) });
    }

    /** Opens a tab by its id: "draw", "network", "backprop", "train" or "mistakes". */
    open(tab) {
        this.set({ tab });
    }

    /** The outputs of the last layer, or null. */
    get outputs() {
        return this.trace ? this.trace.a[this.trace.a.length - 1] : null;
    }

    /** The index of the largest output, or null. */
    get answer() {
        return this.outputs ? this.outputs.indexOf(Math.max(...this.outputs)) : null;
    }
}

const SHIFT = 360; // keeps what was nudged off the pad above 0 in an address

/** Strokes as a short text for an address: two digits of base 36 for twice a coordinate, "-" between strokes. */
export function strokesText(strokes) {
    const digits = (value) => {
        const whole = Math.max(0, Math.min(1295, Math.round(2 * value) + SHIFT));
        return whole.toString(36).padStart(2, "0");
    };
    return strokes.map((stroke) => stroke.map(([x, y]) => digits(x) + digits(y)).join("")).join("-");
}

/** The strokes of a text of `strokesText`; null for what is none, or holds more than 4,000 points. */
export function strokesOf(text) {
    if (text.length > 20_000 || !/^([0-9a-z]{4})+(-([0-9a-z]{4})+)*$/.test(text)) {
        return null;
    }
    const coordinate = (digits) => (parseInt(digits, 36) - SHIFT) / 2;
    const point = (digits) => [coordinate(digits.slice(0, 2)), coordinate(digits.slice(2))];
    return text.split("-").map((part) => part.match(/.{4}/g).map(point));
}

/** The address of what the store holds, without "#": the tab, the strokes, the label, whether the normalizer is skipped. */
export function addressOf(store) {
    const parts = [store.tab];
    if (store.drawing.strokes.length > 0 && store.drawing.picture === null) {
        parts.push(`strokes=${strokesText(store.drawing.strokes)}`);
    }
    if (store.label !== null) {
        parts.push(`label=${store.label}`);
    }
    return (store.skip ? [...parts, "skip=1"] : parts).join("&");
}

/** The fields of the store that an address (without "#") names; what cannot be read is left out. */
export function fieldsOf(address) {
    const [tab, ...rest] = address.split("&");
    const given = new Map(rest.map((part) => part.split("=", 2)));
    const fields = { tab };
    const strokes = strokesOf(given.get("strokes") ?? "");
    if (strokes) {
        fields.drawing = { ...BLANK, strokes, before: BLANK };
    }
    if (/^\d{1,4}$/.test(given.get("label") ?? "")) {
        fields.label = Number(given.get("label"));
    }
    return given.get("skip") === "1" ? { ...fields, skip: true } : fields;
}
