/** Tools within the thumb's reach: one is in hand, its drag is what one finger or the left button does (K1, E15). */

import { signal } from '@preact/signals';
import type { FilmSession } from '../session/film_session';
import { MEASURE_TOOLS } from '../tools/measure';
import { VIEW_TOOLS } from '../tools/registry';
import { Icon } from './icon';
import { ICONS } from './icons';
import { panels } from './panel_registry';
import { Sheet, ToolButton } from './sheet';
import { WORDS } from './words';

/** The panel over the toolbar; `null`: none. */
const openPanel = signal<string | null>(null);

type Panels = typeof import('./panels');

/** The panels' own script: it comes behind the film's first picture, or with the first press. */
const loadedPanels = signal<Panels | null>(null);

/** Brings the panels; closes what was pressed when they do not come, so that it can be pressed again. */
export async function loadPanels(): Promise<void> {
  try {
    loadedPanels.value ??= await import('./panels');
  } catch {
    openPanel.value = null;
  }
}

const PRIMARY = VIEW_TOOLS.slice(0, 4);

export function Toolbar({ session }: { session: FilmSession }) {
  const toggle = (id: string) => () => {
    openPanel.value = openPanel.peek() === id ? null : id;
    if (!loadedPanels.peek()) void loadPanels();
  };
  const isGrey = session.active.value.voi.value !== null;
  const loaded = loadedPanels.value;
  return (
    <>
      {loaded && session.cine.isPlaying.value && <loaded.CinePanel session={session} />}
      {loaded && <Panel session={session} loaded={loaded} />}
      <div class="toolbar" role="toolbar" aria-label={WORDS.tools}>
        {PRIMARY.map((tool) => (
          <ToolButton key={tool.id} session={session} tool={tool} />
        ))}
        <PanelButton
          id="presets"
          icon={ICONS.presets}
          label={WORDS.presets}
          disabled={!isGrey}
          onToggle={toggle}
        />
        <PanelButton id="measure" icon={ICONS.measure} label={WORDS.measure} onToggle={toggle} />
        <PanelButton id="layout" icon={ICONS.layout} label={WORDS.layout} onToggle={toggle} />
        <PanelButton id="threeD" icon={ICONS.cube} label={WORDS.threeD} onToggle={toggle} />
        <PanelButton id="more" icon={ICONS.more} label={WORDS.more} onToggle={toggle} />
        <button type="button" data-action="reset" onClick={() => session.reset()}>
          <Icon path={ICONS.reset} />
          {WORDS.reset}
        </button>
      </div>
    </>
  );
}

interface PanelButtonProps {
  id: string;
  icon: string;
  label: string;
  disabled?: boolean;
  onToggle: (id: string) => () => void;
}

function PanelButton({ id, icon, label, disabled = false, onToggle }: PanelButtonProps) {
  return (
    <button
      type="button"
      data-action={id}
      aria-expanded={openPanel.value === id}
      disabled={disabled}
      onClick={onToggle(id)}
    >
      <Icon path={icon} />
      {label}
    </button>
  );
}

function Panel({ session, loaded }: { session: FilmSession; loaded: Panels }) {
  const close = (): void => {
    openPanel.value = null;
  };
  const id = openPanel.value;
  switch (id) {
    case null:
      return null;
    case 'presets':
      return <loaded.PresetsPanel session={session} close={close} />;
    case 'measure':
      return (
        <Sheet id="measure">
          {MEASURE_TOOLS.map((tool) => (
            <ToolButton key={tool.id} session={session} tool={tool} />
          ))}
        </Sheet>
      );
    case 'layout':
      return <loaded.LayoutPanel session={session} close={close} />;
    case 'threeD':
      return <loaded.ThreeDPanel session={session} close={close} />;
    case 'more':
      return (
        <loaded.MorePanel
          session={session}
          open={(next) => {
            openPanel.value = next;
          }}
        />
      );
    case 'history':
      return <loaded.HistoryPanel session={session} close={close} />;
    default: {
      const plugged = panels.value.find((panel) => panel.id === id);
      return plugged ? <Sheet id={id}>{plugged.render(close)}</Sheet> : null;
    }
  }
}
