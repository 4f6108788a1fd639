/** The Emscripten builds of the Cornerstone codecs: loaded once, and ONE decoder object reused (their heap never shrinks). */

import { FilmFault } from '../../faults';
import type { CodecHeader } from './samples';

export interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  /** Of wavelet codecs: leaves out the finest `skip` levels; the codestream may end behind the others. */
  decodeSubResolution?(skip: number): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): CodecHeader;
}

export type WasmModule<Name extends string> = Record<Name, new () => WasmDecoder>;

export type WasmFactory<Name extends string> = (options: {
  locateFile: () => string;
  print: () => void;
  printErr: () => void;
}) => Promise<WasmModule<Name>>;

export class WasmCodec<Name extends string> {
  private decoder: Promise<WasmDecoder> | null = null;

  constructor(
    private readonly factory: WasmFactory<Name>,
    private readonly name: Name,
    private readonly url: string,
  ) {}

  /**
   * Decodes one codestream and hands the result to `take`, which must copy: the bytes lie in the codec's heap, and the
   * next frame of the same worker overwrites them as soon as this one yields.
   */
  async decode<T>(
    encoded: Uint8Array,
    take: (decoded: Uint8Array, header: CodecHeader) => T,
    skip = 0,
  ): Promise<T> {
    try {
      const decoder = await this.prepare();
      decoder.getEncodedBuffer(encoded.length).set(encoded);
      if (skip > 0) decoder.decodeSubResolution?.(skip);
      else decoder.decode();
      return take(decoder.getDecodedBuffer(), decoder.getFrameInfo());
    } catch (error) {
      this.decoder = null; // after a failure the module's state is unknown: the next frame gets a new one
      throw error;
    }
  }

  /** Fetches and compiles the codec, once: while the first frame is still on the line. */
  prepare(): Promise<WasmDecoder> {
    this.decoder ??= this.load();
    return this.decoder;
  }

  private async load(): Promise<WasmDecoder> {
    const silent = (): void => undefined;
    const module = await this.factory({ locateFile: () => this.url, print: silent, printErr: silent }).catch(
      (error) => {
        throw new FilmFault('network', `the decoder did not come: ${String(error)}`);
      },
    );
    return new module[this.name]();
  }
}
