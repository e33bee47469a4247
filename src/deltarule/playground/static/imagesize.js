// How large the picture in a file says that it is, read from the file's head. Touches no page, decodes nothing.

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** The size in a JPEG: in the first segment that begins a frame. Source: ITU-T T.81, B.1.1 and B.2.2. */
function ofJpeg(bytes, view) {
    let at = 2;
    while (at + 9 <= bytes.length && bytes[at] === 0xff) {
        const kind = bytes[at + 1];
        if (kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind)) {
            return [view.getUint16(at + 7), view.getUint16(at + 5)];
        }
        const isAlone = kind === 0xff || kind === 0x01 || (kind >= 0xd0 && kind <= 0xd7); // a marker without a segment
        at += kind === 0xff ? 1 : isAlone ? 2 : 2 + view.getUint16(at + 2);
    }
    return null;
}

/** The size in a WebP. Source: RFC 9649, section 2. */
function ofWebp(view, kind) {
    if (kind === "VP8X") {
        return [24, 27].map((at) => (view.getUint32(at, true) & 0xffffff) + 1);
    }
    if (kind === "VP8L") {
        const bits = view.getUint32(21, true);
        return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    }
    return [26, 28].map((at) => view.getUint16(at, true) & 0x3fff);
}

/**
 * [width, height] of the picture in a PNG, JPEG, WebP or BMP file; null for what is none of these.
 * @param {Uint8Array} bytes of the file
 */
export function sizeOf(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes[0] === 0xff && bytes[1] === 0xd8) {
        return ofJpeg(bytes, view);
    }
    if (bytes.length < 32) {
        return null;
    }
    if (text(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") {
        return [view.getUint32(16), view.getUint32(20)];
    }
    if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP") {
        return ofWebp(view, text(bytes, 12, 16));
    }
    if (text(bytes, 0, 2) === "BM") {
        const isOld = view.getUint32(14, true) === 12; // the header of OS/2, with sides of 16 bits
        return isOld ? [view.getUint16(18, true), view.getUint16(20, true)]
            : [18, 22].map((at) => Math.abs(view.getInt32(at, true)));
    }
    return null;
}
