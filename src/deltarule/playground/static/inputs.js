// The inputs of a network that reads no image: a field for each number.

import { element, repaintOn } from "./widgets.js";

const MOST_FIELDS = 64;
const CURE = `model = dr.load("model.safetensors")
model.network.image_shape = (28, 28)
dr.save(model, "images.safetensors")`;

/** Fields that show and change `store.x`, in the units that the network was given; a sentence where they are too many. */
export function makeInputs(panel, store) {
    const size = store.network.sizes[0];
    if (size > MOST_FIELDS) {
        return element("div", {}, element("p", {}, `This network reads ${size} numbers, too many for a field each.`), ...size === 784 ? [
            element("p", {}, "If they are the pixels of an image, say so in Python, and open the new file to draw:"),
            element("pre", { class: "cure" }, element("code", {}, CURE)),
        ] : []);
    }
    const names = store.network.columns ?? [];
    const read = () => {
        const x = Float64Array.from(fields, (field) => Number(field.value));
        store.set({ x, label: null });
    };
    const fields = Array.from({ length: size }, () => element("input", { type: "number", step: "any", value: "0", oninput: read }));
    if (store.x === null) {
        read();
    }
    repaintOn(store, panel, ["trace"], () => fields.forEach((field, index) => {
        if (store.x && field !== document.activeElement) {
            field.value = String(store.x[index]);
        }
    }));
    return element("div", { class: "fields" },
        ...fields.map((field, index) => element("label", {}, names[index] ?? `input ${index}`, field)));
}
