// What Sabaki does with an engine, without its window: node controller.js ENGINE [ARGUMENT ...]
// Prints one line of JSON: the moves of a whole game, the analysis lines, and what came after the interruption.

const {Controller, ControllerStateTracker} = require('@sabaki/gtp')

async function main(path, args) {
  const controller = new Controller(path, args)
  const tracker = new ControllerStateTracker(controller)
  controller.start()
  const ask = async (name, ...args) => {
    const {error, content} = await controller.sendCommand({name, args: args.map(String)})
    if (error) throw new Error(`${name}: ${content}`)
    return content
  }

  const found = {name: await ask('name'), commands: (await ask('list_commands')).split('\n')}
  await tracker.sync({komi: 3.5, boardsize: [5, 5], history: []})

  // An analysis, interrupted as Sabaki does it: by sending protocol_version.
  found.info = []
  let heard
  const first = new Promise(resolve => (heard = resolve))
  const analysis = controller.sendCommand({name: 'lz-analyze', args: ['B', '5']}, ({line}) => {
    if (line.startsWith('info ')) {
      found.info.push(line)
      heard()
    }
  })
  await first
  const asked = Date.now()
  const [ended, version] = await Promise.all([analysis, ask('protocol_version')])
  found.stopped = {error: ended.error, version, milliseconds: Date.now() - asked}

  // A whole game, the engine on both sides.
  found.moves = []
  for (let colour = 'B', passes = 0; passes < 2 && found.moves.length < 300; colour = colour === 'B' ? 'W' : 'B') {
    const move = await ask('genmove', colour)
    found.moves.push(move)
    if (move === 'resign') break
    passes = move === 'pass' ? passes + 1 : 0
  }
  found.tracked = tracker.state.history.length
  found.score = await ask('final_score')

  // Another position on another board, reached by what the tracker finds necessary.
  const history = [
    {name: 'set_free_handicap', args: ['C3', 'E3']},
    {name: 'play', args: ['W', 'D4']}
  ]
  await tracker.sync({komi: 0, boardsize: [7, 5], history})
  await tracker.sync({komi: 0, boardsize: [7, 5], history: [...history, {name: 'play', args: ['B', 'D2']}]})
  await tracker.sync({komi: 0, boardsize: [7, 5], history})
  found.board = await ask('showboard')

  // A move with analysis, which the tracker reads from its "play" line.
  const lines = []
  await controller.sendCommand({name: 'lz-genmove_analyze', args: ['B', '10']}, ({line}) => lines.push(line))
  found.genmove = lines
  found.last = tracker.state.history[tracker.state.history.length - 1]
  await controller.stop()
  console.log(JSON.stringify(found))
}

const [path, ...args] = process.argv.slice(2)
main(path, args).catch(error => {
  console.error(error)
  process.exit(1)
})
