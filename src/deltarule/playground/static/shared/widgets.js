// The small parts that the tabs are made of: elements, pictures on canvases, roving focus, sentences for screen readers.

/**
 * An element: `element("button", { class: "quiet", onclick: act, "aria-pressed": "false" }, "Undo")`. A property whose
 * value is a function is a listener, true is an empty attribute, null and false are left out.
 */
export function element(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (typeof value === "function") {
            node.addEventListener(name.replace(/^on/, ""), value);
        } else if (value !== null && value !== false) {
            node.setAttribute(name, value === true ? "" : value);
        }
    }
    node.append(...children.filter((child) => child !== null));
    return node;
}

/** A button that acts when it is pressed. */
export function button(text, act, properties = {}) {
    return element("button", { type: "button", onclick: act, ...properties }, text);
}

/** A row of a table: its head, and a cell each. */
export function tableRow(head, ...cells) {
    return element("tr", {}, element("th", { scope: "row" }, head), ...cells.map((cell) => element("td", {}, ...[cell].flat())));
}

/** The head of a table: a cell for each column, a text or a node. */
export function tableHead(...names) {
    return element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));
}

/** A field for a number, which `take` is given once it is changed to one. */
export function numberField(take, properties = {}, event = "onchange") {
    const change = ({ target }) => target.value !== "" && Number.isFinite(Number(target.value)) && take(Number(target.value));
    return element("input", { type: "number", step: "any", [event]: change, ...properties });
}

/** The largest absolute value. */
export const farthest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The indices of the `count` largest absolute values, the largest first, zeros left out. */
export function largestOf(values, count) {
    const found = [];
    for (let index = 0; index < values.length; index += 1) {
        const size = Math.abs(values[index]);
        if (size > 0 && (found.length < count || size > Math.abs(values[found.at(-1)]))) {
            const place = found.findIndex((other) => size > Math.abs(values[other]));
            found.splice(place < 0 ? found.length : place, 0, index);
            found.length = Math.min(found.length, count);
        }
    }
    return found;
}

/** Whether the system asks for calm. */
export const isCalm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const asked = new Set();

/** Runs everything asked for in one frame, and whatever that asks for in turn: nothing twice. */
function runFrame() {
    const done = new Set();
    try {
        for (const paint of asked) { // what is added meanwhile comes last
            if (!done.has(paint)) {
                asked.delete(paint);
                done.add(paint);
                paint();
            }
        }
    } finally {
        if (asked.size > 0) {
            requestAnimationFrame(runFrame);
        }
    }
}

/** A function that asks for `paint` in the coming frame: the one under way, if it is asked within one. */
export function inNextFrame(paint) {
    return () => {
        if (asked.size === 0) {
            requestAnimationFrame(runFrame);
        }
        asked.add(paint);
    };
}

/**
 * Repaints a panel when one of `keys` of the store changed: in the next frame, and only once it can be seen.
 * Returns a function that asks for a repaint by hand.
 */
export function repaintOn(store, panel, keys, paint) {
    let stale = true;
    const ask = inNextFrame(() => {
        if (stale && !panel.hidden) {
            stale = false;
            paint();
        }
    });
    const again = () => {
        stale = true;
        ask();
    };
    store.on(keys, again);
    store.on(["tab"], ask);
    window.addEventListener("themechange", again);
    again();
    return again;
}

let colors = {};

/** A custom property of style.css as [red, green, blue], 0 to 255: `color("--accent")`. */
export function color(name) {
    const text = () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    return (colors[name] ??= text().match(/\w\w/g).map((digits) => parseInt(digits, 16)));
}

/** The colors are others now: forget them, and let every canvas be painted again. */
export function themeChanged() {
    colors = {};
    window.dispatchEvent(new Event("themechange"));
}

/** [red, green, blue] as a style wants it. */
export const rgb = (parts) => `rgb(${parts.join(" ")})`;

/** The color that lies a share of the way from one to another. */
export function mixed(from, to, share) {
    return from.map((each, index) => Math.round(each + (to[index] - each) * share));
}

/** The color of a value on the diverging scale, as [red, green, blue]: --negative at -scale, --paper at 0, --positive at scale. */
export function diverging(value, scale) {
    const share = scale > 0 ? Math.min(1, Math.abs(value) / scale) : 0;
    return mixed(color("--zero"), color(value < 0 ? "--negative" : "--positive"), share);
}

/** A canvas with a description, empty at first; style.css enlarges it without smoothing. */
export function picture(label) {
    return element("canvas", { width: 1, height: 1, class: "pixels", role: "img", "aria-label": label });
}

/** Paints a canvas whole: `fill` is given its pixels, row by row, as words of `wordOf`. */
export function paintWords(canvas, fill) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    fill(new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
}

/** A color as a pixel of `paintWords`. */
export const wordOf = (parts) => new Uint32Array(Uint8Array.of(...parts, 255).buffer)[0];

/** The pixels of `paintWords` for values on the diverging scale, which ends at ±scale: a function of the value. */
export function signedWords(scale) {
    const inks = Uint32Array.from({ length: 255 }, (_, index) => wordOf(diverging(index - 127, 127)));
    return (value) => inks[127 + Math.round(127 * Math.max(-1, Math.min(1, value / scale || 0)))];
}

/** Paints values (width * height, row by row) on a canvas of that size, on the diverging scale. */
export function paintSigned(canvas, values, scale) {
    const wordFor = signedWords(scale);
    paintWords(canvas, (words) => words.forEach((_, index) => (words[index] = wordFor(values[index]))));
}

const INKS = {};

/** Paints bytes in the 256 colors from one to another. */
function paintBytes(canvas, values, from, to) {
    const made = () => Uint32Array.from({ length: 256 }, (_, ink) => wordOf(mixed(from, to, ink / 255)));
    const inks = (INKS[`${from} ${to}`] ??= made());
    paintWords(canvas, (words) => {
        for (let index = 0; index < words.length; index += 1) {
            words[index] = inks[Math.max(0, Math.min(255, Math.round(values[index])))];
        }
    });
}

/** Paints ink 0..255 (width * height, row by row), 255 in --pad-ink on --pad, on a canvas of that size. */
export function paintInk(canvas, values) {
    paintBytes(canvas, values, color("--pad"), color("--pad-ink"));
}

/** A picture of such ink, on a canvas of its own. */
export function inkPicture(values, width, height, properties) {
    const canvas = element("canvas", { width, height, class: "pixels", ...properties });
    paintInk(canvas, values);
    return canvas;
}

/** Paints a photo 0..255 (width * height, row by row) as it is: 255 is white in the dark, too. */
export function paintPhoto(canvas, values) {
    paintBytes(canvas, values, [0, 0, 0], [255, 255, 255]);
}

/** Where a key leads from `here` among `count`, `columns` in a row, or all: an index, perhaps beyond an end, or undefined. */
export function keyGoal(key, here, count, columns) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ...(columns && { ArrowUp: -columns, ArrowDown: columns }) };
    return key in steps ? here + steps[key] : { Home: 0, End: count - 1 }[key];
}

/**
 * Gives `container` one tab stop: arrow keys, Home and End move the focus among the elements that match `selector`.
 * With `columns()` of them in a row, up and down move by so many; without, only left and right move, and go round.
 */
export function roving(container, selector, columns = null) {
    const items = () => [...container.querySelectorAll(selector)];
    const stopAt = (item) => items().forEach((each) => each.setAttribute("tabindex", each === item ? "0" : "-1"));
    container.addEventListener("keydown", (event) => {
        const all = items();
        const here = all.indexOf(event.target.closest(selector));
        const goal = here < 0 ? undefined : keyGoal(event.key, here, all.length, columns?.());
        if (goal !== undefined) {
            event.preventDefault();
            (all[columns ? goal : (goal + all.length) % all.length] ?? all[here]).focus();
        }
    });
    container.addEventListener("focusin", ({ target }) => target.closest(selector) && stopAt(target.closest(selector)));
    return () => stopAt(items()[0]);
}

/**
 * Runs a generator in slices of 8 ms, so that the page stays alive between them.
 * @template T
 * @param {Generator<number, T>} work
 * @param {(done: number) => void} progress called after each slice
 * @param {AbortSignal} signal stops it: the promise then never settles
 * @returns {Promise<T>} what the generator returns
 */
export async function inSlices(work, progress, signal) {
    for (;;) {
        await new Promise((resolve) => setTimeout(resolve));
        if (signal.aborted) {
            return new Promise(() => {});
        }
        const end = performance.now() + 8;
        let next = work.next();
        while (!next.done && performance.now() < end) {
            next = work.next();
        }
        if (next.done) {
            return next.value;
        }
        progress(next.value);
    }
}

/** Where an event of a pointer lies on an element, wherever that is by now: [across, down], from 0 to 1 within it. */
export function shareOf(node, { clientX, clientY }) {
    const { left, top, width, height } = node.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
}

let waiting = null;
let lastSaid = 0;

/** Lets a screen reader say a sentence: the newest one, politely, at most one every two seconds. */
export function announce(sentence) {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
        lastSaid = Date.now();
        document.getElementById("summary").textContent = sentence;
    }, Math.max(300, lastSaid + 2000 - Date.now()));
}

/** A number for people: `count` significant digits, a real minus sign. */
export function shown(value, count = 3) {
    const [size, least, most] = [Math.abs(value), ...(count > 3 ? [1e-4, 1e6] : [1e-3, 1e5])];
    const isFar = size !== 0 && (size < least || size >= most);
    return (isFar ? value.toExponential(count > 3 ? count - 1 : 1) : String(Number(value.toPrecision(count)))).replace(/-/g, "−");
}

/** A share in [0, 1] as percent: 0.9876 is "98.8 %"; "100.0 %" is 1 and nothing less. */
export function percent(share) {
    const digits = share < 1 && share >= 0.9995 ? 2 : 1;
    return share < 1 && share >= 0.99995 ? "> 99.99 %" : `${(100 * share).toFixed(digits)} %`;
}
