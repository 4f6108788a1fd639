/** Unique identifiers for what is drawn: a random UUID as a DICOM UID (PS3.5 B.2), so a report can carry it as it is. */

export function newUid(): string {
  // not crypto.randomUUID: it exists on https only, and hospitals open films by plain addresses of their network too
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `2.25.${bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)}`;
}
