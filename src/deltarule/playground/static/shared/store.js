// The state that all tabs share: one drawing, one input, the network's answer to it, and the open tab. Touches no page.

export const PAD_SIZE = 280; // strokes are kept in pixels of a pad of this many by this many

/**
 * @typedef {object} Drawing  the content of the pad; never changed once there is a newer one, so that undo goes back to it
 * @property {number[][][]} strokes  list of strokes, each a list of [x, y] in pad pixels, multiples of 1/2
 * @property {{pixels: Uint8Array, width: number, height: number, gray: boolean|undefined}|null} picture  beneath the
 *     strokes: ink 255 on 0, or if `gray`, white 255 and black 0
 * @property {"pad"|"example"|"file"} source
 * @property {number} dx  how far the picture was nudged, in pad pixels
 * @property {number} dy
 * @property {number | number[] | null} label  the target: a class, or a number for each output; null without a label
 * @property {Drawing|null} before  the drawing that undo brings back
 */

/** The drawing with nothing on it. */
export const BLANK = Object.freeze({ strokes: [], picture: null, source: "pad", dx: 0, dy: 0, before: null, label: null });

/** Whether a network reads the pad's images of 28x28. */
export const readsDrawings = (network) => String(network.imageShape) === "28,28";

/** A network without its parameters, as a string: the panels for a network are rebuilt when this changes. */
const structureOf = ({ weights, biases, was, path, ...rest }) => JSON.stringify(rest);

export class Store extends EventTarget {
    /** @param {(network: object, x: Float64Array, noise: Map) => {z: Float64Array[], a: Float64Array[]}} forward */
    constructor(forward) {
        super();
        this.forward = forward;
        this.network = null;
        this.structure = ""; // of the network, as `structureOf` has it
        this.drawing = BLANK;
        this.skip = false; // whether the pad goes to the network as it is, past the normalizer
        this.showsSeveral = false; // whether it looks like digits side by side
        this.stages = []; // the steps of the normalizer: list of {name, width, height, pixels}
        this.x = null; // Float64Array (n_inputs), or null if there is nothing to read
        this.trace = null; // forward(network, x, noise), computed once a change
        this.world = null; // of one or two numbers: { points: [x1, x2, class] or [x, y, class] each, train: how many of them are learned }
        this.build = null; // the settings of training in the page, as strings of an address by name: see build.js
        this.step = 0; // that the run in the page has taken
        this.at = null; // of an address: x, for the world's network that is to come
        this.waits = ""; // why the answer is not yet that of a link
        this.hides = []; // what a lesson link hides
        this.tab = "draw";
        this.noise = new Map(); // by place: sizes of normal noise on the z of "layer neuron", counted from 1; "0 0": on every input
        this.frozen = []; // layers, counted from 1, that no training in the page changes
        this.flow = null; // what Backprop shows on the stage: { values, back, first, last }, see flowOf in steps.js
    }

    /** What the input should be: it belongs to the drawing, and goes and comes back with it. */
    get label() {
        return this.drawing.label;
    }

    /**
     * Takes the fields named in `given`, computes the trace if needed, and tells everyone once: an Event
     * "change" whose `keys` is the Set of the names that changed; "structure" if the network has other layers or names.
     */
    set(given) {
        const { label = (given.drawing ?? this.drawing).label, ...values } = given;
        const names = Object.keys(values).filter((name) => this[name] !== values[name]);
        const keys = new Set(this.label === label ? names : [...names, "label"]);
        Object.assign(this, values);
        const structure = keys.has("network") ? structureOf(this.network) : this.structure;
        if (structure !== this.structure) {
            Object.assign(this, { structure, flow: null, noise: new Map(), frozen: [] });
            keys.add("structure");
        }
        if (this.label !== label) {
            this.drawing = { ...this.drawing, label };
        }
        if (["network", "x", "noise"].some((name) => keys.has(name))) {
            this.trace = this.network && this.x ? this.forward(this.network, this.x, this.noise) : null;
            keys.add("trace");
        }
        if (keys.size > 0) {
            this.dispatchEvent(Object.assign(new Event("change"), { keys }));
        }
    }

    /** Calls `act` after each change of any of these fields. */
    on(names, act) {
        this.addEventListener("change", ({ keys }) => names.some((name) => keys.has(name)) && act());
    }

    /** Error where the network does not read such examples: one that learned in the page may not. */
    checkExample({ x }) {
        if (x.length !== this.network.sizes[0]) {
            throw new Error(`the examples here have ${x.length} numbers each, but this network reads ${this.network.sizes[0]}.`);
        }
    }

    /** Puts an example of the network's data before it: on the pad, where it reads drawings. pixels: whether x is 0..255 */
    takeExample({ x, label = null, pixels }) {
        this.checkExample({ x });
        const inputs = Float64Array.from(x, (value) => value / (pixels ? 255 : 1));
        const shown = Uint8Array.from(inputs, (value) => Math.round(255 * Math.min(Math.max(value, 0), 1)));
        const onPad = readsDrawings(this.network) && { picture: { pixels: shown, width: 28, height: 28 }, before: this.drawing };
        this.set({ x: inputs, drawing: { ...BLANK, ...onPad, source: "example", label } });
    }

    /** The outputs of the last layer, or null. */
    get outputs() {
        return this.trace?.a.at(-1) ?? null;
    }

    /** The index of the largest output, or null. */
    get answer() {
        return this.outputs ? this.outputs.indexOf(Math.max(...this.outputs)) : null;
    }
}

const SHIFT = 360; // keeps what was nudged off the pad above 0 in an address
export const VERSION = 1; // of links
const MOST_TEXT = 20_000; // characters of strokes in an address

/** Strokes as a short text for an address: two digits of base 36 for twice a coordinate, "-" between strokes. */
export function strokesText(strokes) {
    const whole = (value) => Math.max(0, Math.min(1295, Math.round(2 * value) + SHIFT));
    const digits = (value) => whole(value).toString(36).padStart(2, "0");
    return strokes.map((stroke) => stroke.map(([x, y]) => digits(x) + digits(y)).join("")).join("-");
}

/** The same for an address, which has no room for more: a long drawing gives up points that lie near their neighbors. */
function shortText(strokes) {
    let text = strokesText(strokes);
    for (let gap = 1; text.length > MOST_TEXT && gap < PAD_SIZE; gap *= 2) {
        text = strokesText(strokes.map(([first, ...rest]) => rest.reduce((kept, point, index) =>
            (Math.hypot(point[0] - kept.at(-1)[0], point[1] - kept.at(-1)[1]) > gap || index === rest.length - 1 ? [...kept, point] : kept), [first])));
    }
    return text;
}

/** The strokes of a string from `strokesText`; null for any other string, or one too long for an address. */
export function strokesOf(text) {
    if (text.length > MOST_TEXT || !/^([0-9a-z]{4})+(-([0-9a-z]{4})+)*$/.test(text)) {
        return null;
    }
    const coordinate = (digits) => (parseInt(digits, 36) - SHIFT) / 2;
    const point = (digits) => [coordinate(digits.slice(0, 2)), coordinate(digits.slice(2))];
    return text.split("-").map((part) => part.match(/.{4}/g).map(point));
}

/** The address of the store's state, without "#": the tab, the strokes, the label, whether the normalizer is skipped, the training settings, the hidden parts. */
export function addressOf(store) {
    const { tab, drawing: { strokes, picture }, label, skip, build, hides, network, x } = store;
    const isDrawn = strokes.length > 0 && picture === null;
    const fields = {
        ...isDrawn && { strokes: shortText(strokes) },
        ...isDrawn && label !== null && !store.network.practice && { label },
        ...skip && { skip: 1 }, ...build, ...network.isWorld && x?.some(Boolean) && { at: Array.from(x, (each) => Math.round(100 * each)).join(".") }, ...hides?.length > 0 && { hide: hides.join("-") },
    };
    return [tab, ...Object.entries(fields).map((pair) => pair.join("="))].join("&");
}

/** The fields of the store that an address (without "#") names; unreadable ones are left out. */
export function fieldsOf(address) {
    const [tab, ...rest] = address.split("&");
    const given = Object.fromEntries(rest.map((part) => part.split("=", 2)));
    const { strokes: text = "", label: digits, skip, hide, at = "", v = "1", ...build } = given;
    const strokes = strokesOf(text);
    const label = /^\d{1,4}$/.test(digits) ? Number(digits) : null;
    return {
        tab, ...strokes && { drawing: { ...BLANK, strokes, before: BLANK, label } }, ...skip === "1" && { skip: true },
        ...build.data && { build, at: /^(-?\d{1,3}[.]?){1,2}$/.test(at) ? at.split(".").map((each) => Number(each) / 100) : null }, ...hide && { hides: hide.split("-") }, ...Number(v) > VERSION && { isNewer: true },
    };
}
