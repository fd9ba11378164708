import { Command } from 'commander';
export const modelCommand = (): Command => new Command('model');
