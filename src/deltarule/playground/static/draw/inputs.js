// The inputs of a network that does not read drawings: a picture to paint on, or a field for each column of its table.

import { button, element, keyGoal, paintInk, repaintOn, shareOf } from "../shared/widgets.js";
import { makePlane } from "./plane.js";

const MOST_FIELDS = 64;
const CURE = `model = dr.load("model.safetensors")
model.network.image_shape = (28, 28)
dr.save(model, "images.safetensors")`;

/** Where the numbers of each field begin among the inputs: a field has one, or one for each of its categories. */
function startsOf({ fields }) {
    let end = 0;
    return fields.map(({ categories }) => (end += Math.max(1, categories.length)) - Math.max(1, categories.length));
}

/** The example that the inputs start with, if any; else usual values, or zeros and the first categories. */
export async function begin(store, examples) {
    const { network } = store;
    const given = await examples?.example().catch(() => null);
    if (given?.x.length === network.sizes[0] && network === store.network) {
        store.takeExample(given);
    } else if (store.x === null) {
        const usual = Float64Array.from({ length: network.sizes[0] }, (_, k) => (network.imageShape ? 0 : network.scaling?.mean[k] ?? 0));
        startsOf(network).forEach((start, index) => usual.set(network.fields[index].categories.map((_, at) => Number(at === 0)), start));
        store.set({ x: usual });
    }
}

/** An image that is painted on: the pointer adds ink, or removes it if it started on ink; arrow keys and Space do the same. */
function makePicture(panel, store) {
    const [height, width] = store.network.imageShape;
    const canvas = element("canvas", { width, height, role: "application", tabindex: "0", class: "pixels paintable", "aria-roledescription": "picture to paint on" });
    const keys = "Paint with mouse or finger; inked pixels are wiped. By keyboard: arrow keys move, Space paints.";
    let here = 0;
    let ink = null; // the ink that the pointer leaves, while it is down
    const set = (index, value) => {
        here = index;
        store.set({ x: (store.x ?? new Float64Array(width * height)).with(index, value), label: null });
    };
    const at = (event) => {
        const [column, row] = shareOf(canvas, event).map((share, axis) => Math.floor(Math.max(0, Math.min(0.9999, share)) * [width, height][axis]));
        return row * width + column;
    };
    const toggled = (index) => ((store.x?.[index] ?? 0) >= 0.5 ? 0 : 1);
    canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        ink = toggled(at(event));
        set(at(event), ink);
    });
    canvas.addEventListener("pointermove", (event) => ink !== null && set(at(event), ink));
    ["pointerup", "pointercancel", "lostpointercapture"].forEach((name) => canvas.addEventListener(name, () => (ink = null)));
    canvas.addEventListener("keydown", (event) => {
        const goal = event.key === " " ? here : keyGoal(event.key, here, width * height, width);
        if (goal >= 0 && goal < width * height) {
            event.preventDefault();
            here = goal;
            return event.key === " " ? set(here, toggled(here)) : paint();
        }
    });
    const paint = repaintOn(store, panel, ["trace"], () => {
        paintInk(canvas, (store.x ?? new Float64Array(width * height)).map((value) => 255 * value));
        const [row, column] = [Math.floor(here / width), here % width];
        canvas.setAttribute("aria-label", `Row ${row + 1}, column ${column + 1}: ink ${(store.x?.[here] ?? 0).toFixed(2)}`);
    });
    return element("div", {}, canvas, element("p", { class: "small muted" }, keys));
}

/** A number, or a choice among categories, for each column; they show and change `store.x`, in the units that it was given. */
function makeFields(panel, store) {
    const { fields, sizes } = store.network;
    const starts = startsOf(store.network);
    const read = ({ target }) => {
        const index = controls.indexOf(target);
        const { categories } = fields[index];
        const x = Float64Array.from(store.x);
        x.set(categories.length > 0 ? categories.map((name) => Number(name === target.value)) : [Number(target.value)], starts[index]);
        store.set({ x, label: null });
    };
    const controls = fields.map(({ categories }) => (categories.length > 0
        ? element("select", { onchange: read }, ...categories.map((name) => element("option", { value: name }, name)))
        : element("input", { type: "number", step: "any", value: "0", oninput: read })));
    repaintOn(store, panel, ["trace"], () => controls.forEach((control, index) => {
        const { categories } = fields[index];
        if (store.x?.length === sizes[0] && control !== document.activeElement) {
            const own = store.x.subarray(starts[index], starts[index] + categories.length);
            control.value = categories.length > 0 ? categories[own.indexOf(1)] : String(Number(store.x[starts[index]].toPrecision(6)));
        }
    }));
    return element("div", { class: "fields" }, ...fields.map(({ name }, index) => element("label", {}, name, controls[index])));
}

/** Shows and changes `store.x`; a sentence instead of too many fields. `examples` is null if there are none. */
export function makeInputs(panel, store, examples) {
    const { imageShape, fields, sizes, isWorld } = store.network;
    if (isWorld) {
        return makePlane(panel, store);
    }
    if (!imageShape && fields.length > MOST_FIELDS) {
        return element("div", {}, element("p", {}, `This network reads ${fields.length} numbers, too many for one field each.`), ...sizes[0] === 784 ? [
            element("p", {}, "If they are pixels of an image, set its shape in Python, and open the new file to draw:"),
            element("pre", { class: "cure" }, element("code", {}, CURE)),
        ] : []);
    }
    const another = button("Random example", () => begin(store, examples), { class: "another" });
    return element("div", {}, (imageShape ? makePicture : makeFields)(panel, store), examples ? another : null);
}
