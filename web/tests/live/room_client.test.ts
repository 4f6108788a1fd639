import { describe, expect, it } from 'vitest';
import { MOST_BYTES, POINTER_MS } from '../../src/live/room_client';
import { type Json, PARTS } from '../../src/live/shared_film';
import { come, FakeServer, type Guest, MapFilm } from './room';

function pair(): { server: FakeServer; first: Guest; second: Guest } {
  const server = new FakeServer();
  return { server, first: come(server), second: come(server) };
}

function states(guest: Guest): unknown[] {
  return guest
    .socket()
    .said.filter(({ kind }) => kind === 'state')
    .map(({ data }) => data);
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('sharing', () => {
  it('sends what the presenter does, the newest of each part, 25 times a second', () => {
    const { server, first, second } = pair();
    for (let n = 0; n < 100; n += 1) {
      first.film.change('voi', n);
      first.film.change('view', n, 1);
      server.clock.pass(10);
    }
    server.clock.pass(100);
    expect(states(first).length).toBeGreaterThan(40);
    expect(states(first).length).toBeLessThanOrEqual(2 * 26);
    expect(second.film.looks()).toEqual({ '0/voi': 99, '1/view': 99 });
  });

  it('sends nothing of what it was told, though the film announces that too', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    expect(second.film.applied).toHaveLength(1);
    expect(states(second)).toEqual([]);
    expect(first.film.applied).toEqual([]);
    server.present('p2');
    server.clock.pass(100);
    expect(states(second)).toEqual([]);
  });

  it('sends a value again that was another one meanwhile, before the room has answered', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 'a');
    server.clock.pass(200);
    first.film.change('voi', 'b');
    server.clock.pass(1);
    first.film.change('voi', 'a');
    server.clock.pass(200);
    expect(second.film.looks()).toEqual({ '0/voi': 'a' });
  });

  it('keeps what followers do to themselves until the next state', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    second.film.change('voi', 2);
    server.clock.pass(100);
    expect([first.film.looks(), second.film.looks()]).toEqual([{ '0/voi': 1 }, { '0/voi': 2 }]);
    first.film.change('voi', 3);
    server.clock.pass(100);
    expect(second.film.looks()).toEqual({ '0/voi': 3 });
  });

  it('lets a follower look elsewhere and come back', () => {
    const { server, first, second } = pair();
    second.client.unfollow();
    first.client.unfollow();
    expect([first.client.isFollowing.value, second.client.isFollowing.value]).toEqual([true, false]);
    first.film.change('voi', 1);
    server.clock.pass(100);
    expect(second.film.looks()).toEqual({});
    second.client.follow();
    expect(second.film.looks()).toEqual({ '0/voi': 1 });
  });

  it('does not send what would end the visit', () => {
    const { server, first } = pair();
    first.film.change('annotations', '注'.repeat(MOST_BYTES / 3));
    server.clock.pass(100);
    expect(states(first)).toEqual([]);
    expect(first.client.notice.value).toBe('内容太多，无法共享');
  });

  it('survives a state that the film cannot show, and messages of no shape', () => {
    const { server, first, second } = pair();
    first.film.change('camera', 'unshowable');
    first.film.change('voi', 1);
    for (const text of [
      '',
      'null',
      '{"v":1,"kind":"state"}',
      '{"v":2,"kind":"alive","seq":1}',
      '[1',
      '{"v":1,"kind":"people","seq":1,"people":[null]}',
    ])
      second.socket().hearText(text);
    server.clock.pass(100);
    expect(second.film.looks()).toEqual({ '0/voi': 1 });
    expect(second.client.people.value).toHaveLength(2);
  });
});

describe('roles', () => {
  it('shows the room to a late one, the layout before its cells', () => {
    const { server, first } = pair();
    first.film.change('voi', 1, 3);
    first.film.change('layout', 4, null);
    server.clock.pass(100);
    const late = come(server);
    expect(late.film.applied.map(({ part }) => part)).toEqual(['layout', 'voi']);
    expect(late.client.isPresenter.value).toBe(false);
  });

  it('brings the room to a new presenter, and the old one to the room', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    second.film.change('voi', 2);
    server.present('p2');
    first.film.change('view', 'of one who no longer presents');
    server.clock.pass(200);
    expect(first.film.looks()).toMatchObject({ '0/voi': 2 });
    second.film.change('view', 'of the presenter');
    server.clock.pass(200);
    expect(first.film.looks()).toEqual(second.film.looks());
    expect(first.client.isPresenter.value).toBe(false);
  });

  it('takes back what was under way when the place was lost', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    server.present('p2');
    first.film.change('voi', 'refused');
    server.clock.pass(200);
    expect(first.film.looks()).toEqual({ '0/voi': 1 });
    expect(second.film.looks()).toEqual({ '0/voi': 1 });
  });

  it('says why something was refused, until it is asked again or another presents', () => {
    const { server, first, second } = pair();
    const refuse = () => {
      second.socket().hear({ kind: 'refused', why: '主持人还在，请先申请' });
      server.clock.pass(50);
      return second.client.notice.value;
    };
    expect(refuse()).toBe('主持人还在，请先申请');
    second.client.ask();
    expect(second.client.notice.value).toBe('');
    refuse();
    first.client.give('p2');
    server.clock.pass(50);
    expect(second.client.notice.value).toBe('');
  });

  it('tells the presenter who would like to be it, until he hands over', () => {
    const { server, first, second } = pair();
    second.client.ask();
    second.client.ask();
    server.clock.pass(50);
    expect(first.client.asking.value).toEqual(['p2']);
    expect(second.client.asking.value).toEqual([]);
    first.client.give('p2');
    server.clock.pass(50);
    expect([first.client.asking.value, second.client.isPresenter.value]).toEqual([[], true]);
  });

  it('offers the place when its holder is away', () => {
    const { server, second } = pair();
    expect(second.client.mayTake.value).toBe(false);
    server.people[0] = { ...server.people[0], here: false };
    come(server);
    expect(second.client.mayTake.value).toBe(true);
    second.client.take();
    server.clock.pass(50);
    expect(second.client.isPresenter.value).toBe(true);
  });

  it('shows where another points, with his name, for a while', () => {
    const { server, first, second } = pair();
    second.client.point(0, { x: 1, y: 2, z: 3 });
    server.clock.pass(50);
    expect(first.film.pointer).toEqual({ cell: 0, point: { x: 1, y: 2, z: 3 }, name: 'p2' });
    expect(second.film.pointer).toBeNull();
    server.clock.pass(POINTER_MS);
    expect(first.film.pointer).toBeNull();
  });
});

describe('the line', () => {
  it('comes back with longer pauses, as the same person, with what was missed', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    second.socket().fall();
    expect(second.client.connection.value).toBe('connecting');
    first.film.change('voi', 2);
    server.clock.pass(600);
    expect(second.client.connection.value).toBe('live');
    expect(second.client.you.value).toBe('p2');
    expect(second.socket().said[0].last).toMatchObject({ you: 'p2', epoch: 'e1' });
    expect(second.film.looks()).toEqual({ '0/voi': 2 });
    let pauses = 0;
    for (let more = 0; more < 8; more += 1) {
      const socket = second.socket();
      socket.fall();
      while (second.socket() === socket) {
        server.clock.pass(100);
        pauses += 1;
      }
    }
    expect(pauses).toBeGreaterThan(400);
    second.socket().fall();
    second.client.wake();
    server.clock.pass(50);
    expect(second.client.connection.value).toBe('live');
  });

  it('lets a presenter who comes back show what he did meanwhile', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    first.socket().fall();
    first.film.change('voi', 2);
    first.film.change('view', 2);
    server.clock.pass(1000);
    expect(second.film.looks()).toEqual({ '0/voi': 2, '0/view': 2 });
  });

  it('fills a room again that has forgotten everything', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    server.forget();
    first.socket().fall(1012);
    second.socket().fall(1012);
    server.clock.pass(1000);
    expect(server.states.get('0/voi')?.data).toBe(1);
    expect(come(server).film.looks()).toEqual({ '0/voi': 1 });
  });

  it('lets who opens an empty room again begin with what it shows', () => {
    const { server, first, second } = pair();
    first.film.change('voi', 1);
    server.clock.pass(100);
    first.socket().fall();
    second.socket().fall();
    server.presenter = '';
    const film = new MapFilm();
    film.change('voi', 'of a page just opened');
    film.change('view', 'its own');
    const late = come(server, 5, film);
    server.clock.pass(100);
    expect(late.film.looks()).toEqual({ '0/voi': 1, '0/view': 'its own' });
    expect(server.states.get('0/view')?.data).toBe('its own');
  });

  it('notices that nothing is said any more', () => {
    const { server, first } = pair();
    const silent = first.socket();
    server.clock.pass(16_000);
    expect(first.socket()).not.toBe(silent);
    expect(silent.readyState).toBe(3);
    expect(first.client.connection.value).toBe('live');
  });

  it('sends nothing into a line that is full, and the newest when it has room', () => {
    const { server, first, second } = pair();
    first.socket().bufferedAmount = 100_000;
    for (let n = 0; n < 10; n += 1) {
      first.film.change('voi', n);
      server.clock.pass(100);
    }
    expect(states(first)).toEqual([]);
    first.socket().bufferedAmount = 0;
    server.clock.pass(100);
    expect(states(first)).toEqual([9]);
    expect(second.film.looks()).toEqual({ '0/voi': 9 });
  });

  it.each([
    [1008, '这次共览已经结束'],
    [4001, ''],
    [4029, ''],
  ])('stays away after the final word %i', (code, reason) => {
    const { server, first } = pair();
    const socket = first.socket();
    socket.fall(code, reason);
    server.clock.pass(60_000);
    first.client.wake();
    expect(first.socket()).toBe(socket);
    expect(first.client.connection.value).toBe('lost');
    expect(first.client.notice.value).toBe(reason || first.client.notice.value);
    expect(first.client.notice.value).not.toBe('');
  });

  it('is over when one leaves', () => {
    const { server, first } = pair();
    const socket = first.socket();
    first.client.leave();
    server.clock.pass(60_000);
    expect(socket.said[socket.said.length - 1].kind).toBe('bye');
    expect(first.socket()).toBe(socket);
    first.film.change('voi', 1);
    expect(states(first)).toEqual([]);
  });
});

describe('agreement', () => {
  it.each([1, 2, 3, 4, 5])('is reached after 200 random actions over slow lines, run %i', (seed) => {
    const server = new FakeServer();
    const random = dice(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
    const guests = [come(server, 300), come(server, 40), come(server, 5)];
    server.clock.pass(2000);
    for (let n = 0; n < 200; n += 1) {
      const guest = pick(guests);
      const what = random();
      if (what < 0.8) guest.film.change(pick(PARTS), { n } as Json, pick([null, 0, 1]));
      else if (what < 0.86) guest.client.take();
      else if (what < 0.92) guest.client.give(pick(server.people).id);
      else if (what < 0.96) guest.socket().fall();
      else guest.client.wake();
      server.clock.pass(random() * 200);
    }
    server.clock.pass(60_000);
    for (const guest of guests) guest.client.follow();
    for (const guest of guests) {
      expect(guest.client.connection.value).toBe('live');
      expect(guest.client.presenter.value).toBe(server.presenter);
      expect(guest.film.looks()).toMatchObject(
        Object.fromEntries([...server.states].map(([key, { data }]) => [key, data])),
      );
    }
    expect(server.states.size).toBeGreaterThan(10);
  });
});
