// The small parts that the tabs are made of: elements, pictures on canvases, focus that roves, sentences for screen readers.

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

/** A function that runs `paint` in the next animation frame, once however often it is called before. */
export function inNextFrame(paint) {
    let asked = false;
    return () => {
        if (!asked) {
            asked = true;
            requestAnimationFrame(() => {
                asked = false;
                paint();
            });
        }
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
    store.addEventListener("change", (event) => {
        stale = stale || keys.some((key) => event.keys.has(key));
        ask();
    });
    window.addEventListener("themechange", () => {
        stale = true;
        ask();
    });
    return () => {
        stale = true;
        ask();
    };
}

const COLORS = new Map();

/** A custom property of style.css as [red, green, blue], 0 to 255: `color("--accent")`. */
export function color(name) {
    if (!COLORS.has(name)) {
        const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const digits = text.slice(1);
        COLORS.set(name, [0, 2, 4].map((start) => parseInt(digits.slice(start, start + 2), 16)));
    }
    return COLORS.get(name);
}

/** The colors are others now: forget them, and let every canvas be painted again. */
export function themeChanged() {
    COLORS.clear();
    window.dispatchEvent(new Event("themechange"));
}

/** The color of a value on the diverging scale, as [red, green, blue]: --negative at -scale, --paper at 0, --positive at scale. */
export function diverging(value, scale) {
    const share = scale > 0 ? Math.min(1, Math.abs(value) / scale) : 0;
    const zero = color("--zero");
    const end = color(value < 0 ? "--negative" : "--positive");
    return zero.map((from, index) => Math.round(from + (end[index] - from) * share));
}

/** The color of a gray value in [0, 1], ink on paper: --ink at 1. */
export function inked(value) {
    const [from, to] = [color("--pad"), color("--pad-ink")];
    return from.map((each, index) => Math.round(each + (to[index] - each) * Math.max(0, Math.min(1, value))));
}

/** A canvas of width x height picture elements that says what it shows; style.css enlarges it without smoothing. */
export function picture(width, height, label) {
    return element("canvas", { width, height, class: "pixels", role: "img", "aria-label": label });
}

/** Paints values (width * height, row by row) on a canvas of that size, each in the color that `colorOf` gives it. */
export function paintPixels(canvas, values, colorOf) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let index = 0; index < canvas.width * canvas.height; index += 1) {
        image.data.set(colorOf(values[index]), 4 * index);
        image.data[4 * index + 3] = 255;
    }
    context.putImageData(image, 0, 0);
}

/**
 * Gives `container` one tab stop: arrow keys, Home and End move the focus among the elements that match `selector`
 * (`columns()` of them in a row: up and down move by so many). Enter and Space stay with the elements.
 */
export function roving(container, selector, columns = () => 1) {
    const items = () => [...container.querySelectorAll(selector)];
    const focus = (item) => {
        items().forEach((each) => each.setAttribute("tabindex", each === item ? "0" : "-1"));
        item.focus();
    };
    container.addEventListener("keydown", (event) => {
        const all = items();
        const here = all.indexOf(event.target.closest(selector));
        const row = columns();
        const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row };
        const goals = { Home: 0, End: all.length - 1 };
        const goal = event.key in steps ? here + steps[event.key] : goals[event.key];
        if (here >= 0 && goal !== undefined && all[goal]) {
            event.preventDefault();
            focus(all[goal]);
        }
    });
    container.addEventListener("focusin", (event) => {
        const item = event.target.closest(selector);
        if (item) {
            items().forEach((each) => each.setAttribute("tabindex", each === item ? "0" : "-1"));
        }
    });
    return () => items().forEach((each, index) => each.setAttribute("tabindex", index === 0 ? "0" : "-1"));
}

let waiting = null;
let lastSaid = 0;

/** Lets a screen reader say a sentence: the newest one, politely, at most one every two seconds. */
export function announce(sentence) {
    const place = document.getElementById("summary");
    const say = () => {
        lastSaid = Date.now();
        waiting = null;
        place.textContent = sentence;
    };
    clearTimeout(waiting);
    waiting = setTimeout(say, Math.max(300, lastSaid + 2000 - Date.now()));
}

/** A number for people: 3 significant digits, a real minus sign. */
export function shown(value) {
    const size = Math.abs(value);
    const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
    return text.replace(/-/g, "−");
}

/** A share in [0, 1] as percent: 0.9876 is "98.8 %". */
export function percent(share) {
    return `${(100 * share).toFixed(1)} %`;
}
