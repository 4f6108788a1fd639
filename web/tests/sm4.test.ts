import { describe, expect, it } from 'vitest';
import { encryptWords, roundKeys } from '../src/decode/sm4/block';
import { GcmOpener, SealBroken } from '../src/decode/sm4/gcm';
import { sm3Hex } from '../src/decode/sm4/sm3';
import { hex, toHex } from './hex';

describe('SM4 (GB/T 32907-2016, appendix A)', () => {
  const key = hex('0123456789abcdeffedcba9876543210');
  const words = () => Int32Array.of(0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210);

  it('encrypts example 1', () => {
    const block = words();
    encryptWords(roundKeys(key), block, block);
    expect(Array.from(block, (w) => (w >>> 0).toString(16).padStart(8, '0')).join('')).toBe(
      '681edf34d206965e86b3e94f536e4246',
    );
  });

  it('encrypts example 2, a million times over', () => {
    const keys = roundKeys(key);
    const block = words();
    for (let i = 0; i < 1_000_000; i++) encryptWords(keys, block, block);
    expect(Array.from(block, (w) => (w >>> 0).toString(16).padStart(8, '0')).join('')).toBe(
      '595298c7c6fd271f0402f804c33d3f66',
    );
  });

  it('refuses a key of another length', () => {
    expect(() => roundKeys(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('SM4-GCM (RFC 8998, A.1)', () => {
  const key = hex('0123456789abcdeffedcba9876543210');
  const nonce = hex('00001234567800000000abcd');
  const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const plain =
    'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa';
  const sealed = hex(
    '17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d' +
      '83de3541e4c2b58177e065a9bf7b62ec',
  );

  it('opens the published vector', () => {
    const target = new Uint8Array(64);
    new GcmOpener(key, aad).open(nonce, sealed, target, 0);
    expect(toHex(target)).toBe(plain);
  });

  it('opens from the middle of a larger buffer', () => {
    const buffer = new Uint8Array(sealed.length + 3);
    buffer.set(sealed, 3);
    const target = new Uint8Array(70);
    new GcmOpener(key, aad).open(nonce, buffer.subarray(3), target, 6);
    expect(toHex(target.subarray(6))).toBe(plain);
  });

  it.each([0, 63, 64, 79])('refuses a flipped bit at byte %i and releases nothing', (at) => {
    const bad = sealed.slice();
    bad[at] ^= 1;
    const target = new Uint8Array(64);
    expect(() => new GcmOpener(key, aad).open(nonce, bad, target, 0)).toThrow(SealBroken);
    expect(target.every((byte) => byte === 0)).toBe(true);
  });

  it('refuses another additional data, another nonce, a stump', () => {
    const target = new Uint8Array(64);
    expect(() => new GcmOpener(key, aad.subarray(1)).open(nonce, sealed, target, 0)).toThrow(SealBroken);
    const other = nonce.slice();
    other[11] ^= 1;
    expect(() => new GcmOpener(key, aad).open(other, sealed, target, 0)).toThrow(SealBroken);
    expect(() => new GcmOpener(key, aad).open(nonce, sealed.subarray(0, 9), target, 0)).toThrow(SealBroken);
  });
});

describe('SM3 (GB/T 32905-2016, appendix A)', () => {
  it('hashes example 1: abc', () => {
    expect(sm3Hex(new TextEncoder().encode('abc'))).toBe(
      '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0',
    );
  });

  it('hashes example 2: 64 bytes', () => {
    expect(sm3Hex(new TextEncoder().encode('abcd'.repeat(16)))).toBe(
      'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732',
    );
  });
});
