// Numbers, windows and epochs of one stream, while both ends crash (DESIGN 6 "new"; docs/wire.md, section 8.3).
//
// What it models: a sender that counts from 1 in every run, each run with a higher epoch; a receiver that keeps
// (epoch, last number) or a window (RFC 6479) in memory and loses it in a crash. The first message of a stream or
// epoch needs evidence that it was signed after the memory began. How evidence is had is what memory.pml,
// challenge.pml and sync.pml are about; here an oracle has it.
//
// The attacker holds every message that was ever signed, and hands over any of them, at any time, as often as he
// likes. So he also drops, delays and reorders: by not handing over yet. He cannot sign.
//
// Bounded: RUNS runs of the sender, N numbers in each, CRASHES crashes of the receiver, all at any moment.
// Strict order with WINDOW 0, else a window of WINDOW numbers.

#ifndef WINDOW
#define WINDOW 0
#endif
#define RUNS 3
#ifdef LIVENESS
#define N 3
#define CRASHES 1
#else
#define N 4
#define CRASHES 2
#endif

#ifdef FAULT_EPOCH_REPEATED            // a sender that starts again with the epoch it had
#define EPOCH(r) ((r + 1) / 2)
#else
#define EPOCH(r) (r)
#endif

byte current = 1;                      // the sender's current run
byte made[RUNS + 1];                   // the highest number signed in each run: all up to it are recorded
byte before[RUNS + 1];                 // what was signed before the receiver's memory began

bool known;                            // the receiver's memory of the stream
byte epoch, last, first;
byte window;                           // bit i: the number last - i was accepted

byte delivered[RUNS + 1];              // for the promises: bit n of a run
byte topRun, topNumber;
bool fresh;                            // scratch, 0 between steps

#ifdef FAULT_NO_EVIDENCE               // the first message that comes begins the stream
#define EVIDENCE(r, n) true
#else
#define EVIDENCE(r, n) (n > before[r])
#endif

#ifdef FAULT_NUMBER_NOT_ABOVE
#define ABOVE_LAST(n) (n >= last)
#else
#define ABOVE_LAST(n) (n > last)
#endif

#ifdef FAULT_WINDOW_OFF_BY_ONE
#define BELOW_WINDOW(n) (last - n > WINDOW)
#else
#define BELOW_WINDOW(n) (last - n >= WINDOW)
#endif

#ifdef FAULT_WINDOW_STARTS_OPEN        // what lies below the first number of a window is taken for not yet seen
#define CLOSED(n) false
#else
#define CLOSED(n) (n < first)
#endif

#ifdef FAULT_EPOCH_AT_LEAST            // the known epoch begins again, as if it were a higher one
#define BEGINS(r) (!known || EPOCH(r) >= epoch)
#else
#ifdef FAULT_STALE_EPOCH               // a lower epoch replaces a higher one
#define BEGINS(r) (!known || EPOCH(r) != epoch)
#else
#define BEGINS(r) (!known || EPOCH(r) > epoch)
#endif
#endif

inline remember(r, n) {
  if
  :: BEGINS(r) ->
#ifdef FAULT_LAST_KEPT                  // the number of the old epoch stays when a new one begins
     last = (n > last -> n : last);
#else
     last = n;
#endif
     known = true; epoch = EPOCH(r); first = n; window = 1
  :: !BEGINS(r) && n > last ->
     window = (WINDOW > 0 -> ((window << (n - last)) | 1) & ((1 << WINDOW) - 1) : 0);
     last = n
  :: else -> window = (WINDOW > 0 -> window | (1 << (last - n)) : 0)
  fi
}

inline deliver(r, n) {
  assert(!(delivered[r] & (1 << n)));                           // at most once
  assert(n > before[r]);                                        // nothing from before the memory
  assert(WINDOW > 0 || r > topRun || r == topRun && n > topNumber);  // in order, across all crashes
  assert(r >= topRun);                                          // a window never reaches into an older run
  delivered[r] = delivered[r] | (1 << n);
  topRun = r; topNumber = (WINDOW > 0 -> 0 : n)                 // the number only matters in strict order
}

// Questions 3 and 4. What fails them changes nothing.
inline arrive(r, n) {
  if
  :: BEGINS(r) -> fresh = EVIDENCE(r, n)
  :: !BEGINS(r) && EPOCH(r) < epoch -> fresh = false            // stale-epoch
  :: !BEGINS(r) && EPOCH(r) == epoch && WINDOW == 0 -> fresh = ABOVE_LAST(n)
  :: !BEGINS(r) && EPOCH(r) == epoch && WINDOW > 0 ->
     if
     :: n > last -> fresh = true
     :: n <= last && (CLOSED(n) || BELOW_WINDOW(n)) -> fresh = false
     :: else -> fresh = !(window & (1 << (last - n)))
     fi
  fi;
#ifdef FAULT_REMEMBER_FIRST            // remembered before it has answered the question
  if :: BEGINS(r) -> remember(r, n) :: else fi;
#endif
  if
  :: fresh -> remember(r, n); deliver(r, n)
  :: else
  fi;
  fresh = false
}

#define LAST_IS_MADE (made[RUNS] == N)

active proctype Sender() {
  do
  :: d_step { made[current] < N -> made[current]++ }
  :: d_step { current < RUNS -> current++ }                             // a crash and a new start, at any number
  :: LAST_IS_MADE -> break
  od
}

active proctype ReceiverCrashes() {
  byte left = CRASHES;
end:
  do
  :: d_step {
#ifdef LIVENESS                        // a crash may lose what was signed before it: none comes after the last message
       left > 0 && !LAST_IS_MADE ->
#else
       left > 0 ->
#endif
       left--;
       known = false; epoch = 0; last = 0; first = 0; window = 0;
       before[1] = made[1]; before[2] = made[2]; before[3] = made[3]
     }
  od
}

#define HAND_OVER(r, n) :: d_step { made[r] >= n -> arrive(r, n) }

active proctype Attacker() {
end:
  do
  HAND_OVER(1, 1) HAND_OVER(1, 2) HAND_OVER(1, 3) HAND_OVER(1, 4)
  HAND_OVER(2, 1) HAND_OVER(2, 2) HAND_OVER(2, 3) HAND_OVER(2, 4)
  HAND_OVER(3, 1) HAND_OVER(3, 2) HAND_OVER(3, 3) HAND_OVER(3, 4)
  od
}

#ifdef LIVENESS
// A fair channel: it hands over the last message again and again, whatever the attacker does in between.
active proctype Channel() {
end:
  do
  HAND_OVER(RUNS, N)
  od
}

ltl delivered_in_the_end { <> (delivered[RUNS] & (1 << N)) }
#endif
