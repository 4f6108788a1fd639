/** What can go wrong between a film and the eye, as kinds that cross the worker's border and have words in the ui. */

export type FaultKind =
  | 'network' // the line or the server: worth another try
  | 'denied' // the session, share or link ended
  | 'broken' // sealed bytes that do not verify
  | 'damaged' // bytes that verify and cannot be decoded, or are not what the manifest says
  | 'unsupported' // a picture this viewer cannot show yet
  | 'aborted'; // nobody wants it any more

export class FilmFault extends Error {
  override readonly name = 'FilmFault';

  constructor(
    readonly kind: FaultKind,
    message: string,
  ) {
    super(message);
  }
}
