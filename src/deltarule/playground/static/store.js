// What every tab looks at: one input, what the network makes of it, and which tab is open. Touches no page.

/**
 * @typedef {object} Drawing  what the pad holds: strokes in pad pixels, or a picture that came from elsewhere
 * @property {number[][][]} strokes  list of strokes, each a list of [x, y]
 * @property {string} source  "pad", "example" or "file"
 */

export class Store extends EventTarget {
    /** @param {(network: object, x: Float64Array) => {z: Float64Array[], a: Float64Array[]}} forward */
    constructor(forward) {
        super();
        this.forward = forward;
        this.network = null;
        this.x = null; // Float64Array (n_inputs) or null where there is nothing to read
        this.label = null; // what the input should be: class index, or null where nobody has said
        this.trace = null; // forward(network, x), computed once a change
        this.drawing = null; // Drawing, or null
        this.tab = "draw";
    }

    /**
     * Takes the fields named in `values`, computes the trace where it has to, and tells everyone once: an Event
     * "change" whose `keys` is the Set of the names that changed.
     */
    set(values) {
        const keys = new Set();
        for (const [name, value] of Object.entries(values)) {
            if (this[name] !== value) {
                this[name] = value;
                keys.add(name);
            }
        }
        if (keys.has("network") || keys.has("x")) {
            this.trace = this.network && this.x ? this.forward(this.network, this.x) : null;
            keys.add("trace");
        }
        if (keys.size > 0) {
            this.dispatchEvent(Object.assign(new Event("change"), { keys }));
        }
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
        const outputs = this.outputs;
        return outputs ? outputs.indexOf(Math.max(...outputs)) : null;
    }
}
