/** What steers a rendered volume: presets, sides of the patient, crop. */

import { useState } from 'preact/hooks';
import { lettersOf, oppositeOf } from '../dicom/orientation';
import { normalize } from '../math/vector';
import { VIEWS, type ViewFrom } from '../render/volume/camera';
import { type Crop, presetsFor } from '../render/volume/look';
import '../styles/volume_panel.css';
import type { VolumeViewport } from '../viewport/volume_viewport';
import { axisOf } from '../volume/affine';

const SIDES: Record<ViewFrom, string> = { A: '前', P: '后', L: '左', R: '右', H: '上', F: '下' };
const STEP = 0.01;

/** `state` is what the viewport shows: a change of it draws the panel anew. */
export function VolumePanel({ viewport, state }: { viewport: VolumeViewport; state: object | null }) {
  const [isCropping, setCropping] = useState(false);
  const { look } = viewport;
  return (
    <div class="volume-panel" data-changed={state !== null}>
      <div class="row">
        <select
          aria-label="重建方式"
          value={look.preset}
          onChange={(event) => viewport.setLook({ preset: event.currentTarget.value, window: null })}
        >
          {presetsFor(viewport.volume).map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
        {VIEWS.map((side) => (
          <button type="button" key={side} data-side={side} onClick={() => viewport.lookFrom(side)}>
            {SIDES[side]}
          </button>
        ))}
        <button
          type="button"
          data-action="crop"
          aria-pressed={isCropping}
          onClick={() => setCropping(!isCropping)}
        >
          裁剪
        </button>
        <button type="button" data-action="reset-volume" onClick={() => viewport.reset()}>
          复位
        </button>
      </div>
      {isCropping && <CropSliders viewport={viewport} />}
    </div>
  );
}

function CropSliders({ viewport }: { viewport: VolumeViewport }) {
  const { crop } = viewport.look;
  const set = (axis: number, end: 0 | 1, value: number): void => {
    const pair = [...crop[axis]] as [number, number];
    pair[end] = end === 0 ? Math.min(value, pair[1] - STEP) : Math.max(value, pair[0] + STEP);
    viewport.setLook({ crop: crop.map((own, i) => (i === axis ? pair : own)) as unknown as Crop });
  };
  return (
    <>
      {[0, 1, 2].flatMap((axis) => {
        const letters = lettersOf(normalize(axisOf(viewport.volume.toPatient, axis)));
        return ([0, 1] as const).map((end) => (
          <label key={`${axis}${end}`}>
            {end === 0 ? oppositeOf(letters) : letters}
            <input
              type="range"
              min={0}
              max={1}
              step={STEP}
              value={crop[axis][end]}
              onInput={(event) => set(axis, end, event.currentTarget.valueAsNumber)}
            />
          </label>
        ));
      })}
    </>
  );
}
