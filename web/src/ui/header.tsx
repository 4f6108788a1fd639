/** Whose film it is, and the documents of the same exam. */

import type { Manifest } from '../dicom/manifest';
import { WORDS } from './words';

export function Header({ manifest }: { manifest: Manifest }) {
  return (
    <header class="bar">
      <p class="who">
        <strong>{manifest.title}</strong>
        <span>{manifest.patient}</span>
      </p>
      {manifest.documents.length > 0 && (
        <details class="documents">
          <summary>
            {WORDS.documents} {manifest.documents.length}
          </summary>
          <ul>
            {manifest.documents.map((document) => (
              <li key={document.url}>
                <a href={document.url}>{document.title}</a>
              </li>
            ))}
          </ul>
        </details>
      )}
    </header>
  );
}
