/** Tools within the thumb's reach: one is chosen, its drag is what one finger or the left button does (K1, E15). */

import { signal } from '@preact/signals';
import { type Preset, presetsOf } from '../dicom/presets';
import type { FilmSession } from '../session/film_session';
import { TOOLS } from '../tools/registry';
import { Icon } from './icon';
import { WORDS } from './words';

const PRESETS_ICON = 'M4 6h10M18 6h2M4 12h2M10 12h10M4 18h10M18 18h2M16 4v4M8 10v4M16 16v4';
const RESET_ICON = 'M4 12a8 8 0 1 0 3-6.2M4 4v5h5';

const isPresetsOpen = signal(false);

export function Toolbar({ session }: { session: FilmSession }) {
  return (
    <>
      {isPresetsOpen.value && session.voi.value && <Presets session={session} />}
      <div class="toolbar" role="toolbar" aria-label={WORDS.tools}>
        {TOOLS.map((tool) => (
          <button
            type="button"
            key={tool.id}
            data-tool={tool.id}
            aria-pressed={session.tool.value === tool}
            onClick={() => {
              session.tool.value = tool;
            }}
          >
            <Icon path={tool.icon} />
            {tool.label}
          </button>
        ))}
        <button
          type="button"
          data-action="presets"
          aria-expanded={isPresetsOpen.value}
          disabled={!session.voi.value}
          onClick={() => {
            isPresetsOpen.value = !isPresetsOpen.value;
          }}
        >
          <Icon path={PRESETS_ICON} />
          {WORDS.presets}
        </button>
        <button type="button" data-action="reset" onClick={() => session.reset()}>
          <Icon path={RESET_ICON} />
          {WORDS.reset}
        </button>
      </div>
    </>
  );
}

function Presets({ session }: { session: FilmSession }) {
  const choose = (act: () => void) => () => {
    act();
    isPresetsOpen.value = false;
  };
  const named = presetsOf(session.series.modality);
  return (
    <div class="presets">
      {named.map((preset: Preset) => (
        <button
          type="button"
          key={preset.label}
          onClick={choose(() => session.setVoi({ center: preset.center, width: preset.width }))}
        >
          {preset.label}
        </button>
      ))}
      <button type="button" onClick={choose(() => session.setFullRange())}>
        {WORDS.fullRange}
      </button>
    </div>
  );
}
